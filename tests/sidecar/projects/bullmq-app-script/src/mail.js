const { Queue, Worker } = require("bullmq");

exports.queue = new Queue("mail");
new Worker("mail", async () => {});
