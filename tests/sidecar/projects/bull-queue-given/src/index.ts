import express from "express";
import { startAll } from "./startup/schedule";

const app = express();
app.listen(3000, () => startAll());
