const { queue } = require("../mail");

queue.add("welcome", {});
