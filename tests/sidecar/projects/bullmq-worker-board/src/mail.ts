import { Worker } from "bullmq";

export const mail = new Worker("mail", async () => {});
