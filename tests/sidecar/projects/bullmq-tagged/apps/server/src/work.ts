import { Worker } from "bullmq";

export function work() {
  return new Worker("letters", async (job) => job.data, {
    connection: { url: process.env.REDIS_URL },
  });
}
