const { Queue } = require("bullmq");
const Redis = require("ioredis");

const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue("mail", { connection });
const [key, seconds] = process.argv.slice(2);
queue.add("mail", { key, seconds: Number(seconds) }).then(async () => {
  await queue.close();
  await connection.quit();
});
