// BullMQ on Node, with ioredis. What a system is asked: driver.py.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";

// The packages lie where the benchmark has installed them, not beside this file.
const require = createRequire(path.join(process.env.BENCH_NODE, "package.json"));
const { Queue, Worker } = require("bullmq");
const Redis = require("ioredis");

const NAME = "bench";
const STORE = process.env.BENCH_STORE;
const JOB = { removeOnComplete: { count: Number(process.env.BENCH_KEEP ?? 1_000) } };
const RECOVERY_MS = 1_000 * Number(process.env.BENCH_RECOVERY ?? 30);
const PAUSE_MS = 10;
const CHUNK = 1_000;
const FLUSH_MS = 2;
const HEAD = 3;
const MOST_VALUES = 100_000;

const now = () => process.hrtime.bigint();

const connect = () => {
  const redis = new Redis(STORE, { maxRetriesPerRequest: null });
  redis.on("error", () => {});
  return redis;
};

// ---- the worker: a script, as BullMQ's people write it -------------------------------------------

// The same file as Python's (stamps.py), written at most every 2 ms: Node cannot map memory.
class Stamps {
  constructor(folder) {
    this.cells = new BigInt64Array(HEAD + MOST_VALUES);
    this.count = 0;
    this.written = 0;
    this.file = fs.openSync(path.join(folder, `${process.pid}.stamps`), "w+");
    this.marks = fs.openSync(path.join(folder, "marks"), "r+");
    this.byte = Buffer.alloc(1);
    this.flush();
  }

  tick(at = now()) {
    if (!this.count) this.cells[1] = at;
    this.count += 1;
    this.cells[2] = at;
    this.cells[0] = BigInt(this.count);
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  note(due) {
    const at = now();
    if (this.count < MOST_VALUES) this.cells[HEAD + this.count] = at - BigInt(due);
    this.tick(at);
  }

  mark(n) {
    this.byte[0] = 0;
    fs.readSync(this.marks, this.byte, 0, 1, n);
    this.byte[0] = Math.min(255, this.byte[0] + 1);
    fs.writeSync(this.marks, this.byte, 0, 1, n);
    this.tick();
  }

  flush() {
    this.timer = undefined;
    const bytes = new Uint8Array(this.cells.buffer);
    const [from, to] = [HEAD + this.written, HEAD + Math.min(this.count, MOST_VALUES)];
    if (this.noting && to > from) fs.writeSync(this.file, bytes, from * 8, (to - from) * 8, from * 8);
    this.written = Math.min(this.count, MOST_VALUES);
    fs.writeSync(this.file, bytes, 0, HEAD * 8, 0);
  }
}

function work(concurrency) {
  const stamps = new Stamps(process.env.BENCH_STAMPS);
  const handlers = {
    noop: async () => stamps.tick(),
    timed: async (n) => {
      stamps.noting = true;
      stamps.note(n);
    },
    pause: async (n) => {
      await wait(PAUSE_MS);
      stamps.mark(n);
    },
  };
  const worker = new Worker(NAME, (job) => handlers[job.name](job.data.n), {
    connection: connect(),
    concurrency,
    lockDuration: RECOVERY_MS,
    stalledInterval: RECOVERY_MS,
  });
  worker.on("error", (error) => console.error(error));
  process.on("SIGTERM", async () => {
    await worker.close(true);
    process.exit(0);
  });
}

// ---- the driver ----------------------------------------------------------------------------------

const way = (concurrency) => ({
  label: `concurrency ${concurrency}`,
  command: [fileURLToPath(import.meta.url), String(concurrency)],
  environment: {},
});

const numbered = (task, from, to) =>
  Array.from({ length: to - from }, (_, i) => ({ name: task, data: { n: from + i }, opts: JOB }));

const seconds = (began) => Number(now() - began) / 1e9;

const requests = {
  describe() {
    const installed = (name) => {
      const file = path.join(process.env.BENCH_NODE, "node_modules", name, "package.json");
      return JSON.parse(fs.readFileSync(file, "utf8")).version;
    };
    return {
      version: `${installed("bullmq")}, ioredis ${installed("ioredis")}, Node ${process.versions.node}`,
      drain: [way(10), way(100), way(300)],
      latency: way(10),
      pauses: way(100),
      kill: null,
      drained: 30_000,
      bulk: true,
      notes: [
        "keeps a record of the last 1,000 completed jobs, with an event stream",
        "nothing is lost by default: jobs of a dead worker run again after 30 to 60 s",
      ],
    };
  },

  async prepare(queue, { task, count }) {
    for (let n = 0; n < count; n += CHUNK)
      await queue.addBulk(numbered(task, n, Math.min(count, n + CHUNK)));
  },

  async left(queue) {
    const counts = await queue.getJobCounts("waiting", "active");
    return counts.waiting + counts.active;
  },

  async add_many(queue, { count }) {
    const began = now();
    await this.prepare(queue, { task: "noop", count });
    return seconds(began);
  },

  async add_concurrently(queue, { callers, count }) {
    const began = now();
    const each = Math.floor(count / callers);
    const caller = async () => {
      for (let n = 0; n < each; n += 1) await queue.add("noop", { n }, JOB);
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return seconds(began);
  },

  async add_one_by_one(queue, { count }) {
    return this.add_concurrently(queue, { callers: 1, count });
  },

  async send_steadily(queue, { rate, seconds: time }) {
    const count = Math.round(rate * time);
    const began = now();
    const sending = [];
    for (let i = 0; i < count; i += 1) {
      const due = began + BigInt(Math.round((i / rate) * 1e9));
      // Node's timers are of whole milliseconds, so the last two are spent turning round.
      const ahead = Number(due - now()) / 1e6 - 2;
      if (ahead > 0) await wait(Math.floor(ahead));
      while (now() < due) await new Promise(setImmediate);
      sending.push(queue.add("timed", { n: Number(due) }, JOB));
    }
    await Promise.all(sending);
    return count;
  },
};

async function serve() {
  let queue;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, args } = JSON.parse(line);
    let answer;
    try {
      if (name !== "describe" && !queue) {
        queue = new Queue(NAME, { connection: connect() });
        await queue.waitUntilReady();
      }
      answer = { value: (await requests[name](queue, args)) ?? null };
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

if (process.argv.length > 2) work(Number(process.argv[2]));
else await serve();
