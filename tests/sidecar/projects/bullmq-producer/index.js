const { Queue } = require("bullmq");
// new Worker("mail") is elsewhere
new Queue("mail");
require("express")().listen(3000);
