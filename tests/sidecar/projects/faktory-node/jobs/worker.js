const faktory = require("faktory-worker");
faktory.register("mail", async () => {});
faktory.work();
