import { Command } from "@oclif/core";
import { flows } from "../queue";

export default class User extends Command {
  async run() {
    await flows().close();
  }
}
