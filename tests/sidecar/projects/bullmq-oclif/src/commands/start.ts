import { Command } from "@oclif/core";
import express from "express";
import { flows } from "../queue";

export default class Start extends Command {
  async run() {
    const app = express();
    app.post("/flows", async (_, res) => res.json(await flows().add("run", {})));
    app.listen(3000);
  }
}
