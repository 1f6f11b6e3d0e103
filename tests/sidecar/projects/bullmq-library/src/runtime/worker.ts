import { Worker } from "bullmq";

export function defineWorker(name: string, run: (job: unknown) => Promise<void>) {
  return new Worker(name, run, { connection: { url: process.env.REDIS_URL } });
}
