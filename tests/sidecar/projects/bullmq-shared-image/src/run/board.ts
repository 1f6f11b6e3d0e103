import { createBullBoard } from "@bull-board/api";
import { ExpressAdapter } from "@bull-board/express";
import express from "express";
import { queues } from "../queues";

const adapter = new ExpressAdapter();
createBullBoard({ queues: [], serverAdapter: adapter });
const app = express();
app.use("/", adapter.getRouter());
app.listen(3000, () => console.log(queues.length));
