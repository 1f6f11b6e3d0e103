const { Worker } = require("bullmq");

new Worker(process.env.QUEUE_NAME, async () => {});
