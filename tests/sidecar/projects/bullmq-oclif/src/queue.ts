import { Queue, Worker } from "bullmq";

const connection = { url: process.env.REDIS_URL };

export const flows = () => new Queue("flows", { connection });
export const work = () => new Worker("flows", async () => {}, { connection });
