import { Worker } from "bullmq";

new Worker("letters", async (job) => job.data, { connection: { url: process.env.REDIS_URL } });
