import { Command } from "@oclif/core";
import { work } from "../queue";

export default class WorkerCommand extends Command {
  async run() {
    work();
  }
}
