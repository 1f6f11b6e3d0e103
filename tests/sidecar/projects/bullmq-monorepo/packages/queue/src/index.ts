import { Worker } from "bullmq";
export const start = () => new Worker("jobs", async () => {});
