const { Worker } = require("bullmq");
const Redis = require("ioredis");

const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const worker = new Worker(
  "mail",
  async (job) => {
    await connection.sadd("begun", job.data.key);
    await new Promise((resolve) => setTimeout(resolve, job.data.seconds * 1000));
    await connection.sadd("done", job.data.key);
  },
  { connection },
);

async function stop() {
  await worker.close();
  await connection.quit();
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
