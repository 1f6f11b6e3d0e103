const { Worker } = require("bullmq");

new Worker("mail", async () => {}, { connection: { host: process.env.REDIS_HOST }, concurrency: 5 });
