import { Queue, Worker } from "bullmq";

export class BullQueue {
  readonly queue = new Queue("console");
  readonly worker = new Worker("console", async (job) => console.log(job.data), {
    connection: { host: "localhost" },
  });
}
