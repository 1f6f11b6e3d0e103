const Queue = require("bull");
const work = new Queue("work", process.env.REDIS_URL);
work.process(50, async () => {});
