import { Queue } from "bullmq";
import express from "express";

const letters = new Queue("letters", { connection: { url: process.env.REDIS_URL } });
const app = express();
app.post("/letters", async (request, response) => {
  await letters.add("send", request.body);
  response.sendStatus(202);
});
app.listen(3000);
