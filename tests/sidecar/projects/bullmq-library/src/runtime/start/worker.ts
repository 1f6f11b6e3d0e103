import { defineWorker } from "../worker";

export default (name: string) => defineWorker(name, async () => {});
