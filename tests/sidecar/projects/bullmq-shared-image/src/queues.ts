import { Queue, Worker } from "bullmq";

const connection = { host: process.env.REDIS_HOST ?? "localhost" };
export const queues = [new Queue("mail", { connection })];

export function start(name: string) {
  return new Worker(name, async (job) => console.log(job.name), { connection });
}
