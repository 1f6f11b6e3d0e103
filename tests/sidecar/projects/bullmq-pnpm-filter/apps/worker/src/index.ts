import { Worker } from "bullmq";
new Worker("mail", async (job) => {}, { connection: {} });
