// One BullMQ process that does what it is told, by JSON lines:
//
//   stdin   {"id": 1, "on": "queue", "queue": "q", "call": "add", "args": ["name", {}, {}]}
//   stdout  {"id": 1, "value": …}   or   {"id": 1, "error": {"name": …, "message": …}}
//
// `on` is one of the parts below, `call` a method of what that part stands for. Requests run side by
// side, so one that waits holds up no other. The end of stdin ends the process.
//
//   node peer.mjs PACKAGE '{"connection": …, "prefix": …}'

import { createInterface } from "node:readline";

import { boardOf } from "./board.mjs";
import { perform } from "./perform.mjs";

const [packageName, optionsText] = process.argv.slice(2);
const bullmq = await import(packageName);
const options = JSON.parse(optionsText);
const opened = new Map();

/** Return the one object of a kind for a queue; the first use opens it. */
async function one(kind, name, open) {
  const key = `${kind} ${name}`;
  if (!opened.has(key)) {
    opened.set(key, Promise.resolve(open()));
  }
  return opened.get(key);
}

const queueOf = (name) => one("queue", name, () => new bullmq.Queue(name, options));

const eventsOf = (name) =>
  one("events", name, async () => {
    const events = new bullmq.QueueEvents(name, options);
    events.seen = [];
    for (const kind of EVENTS) {
      events.on(kind, (fields, id) => events.seen.push({ event: kind, ...(id ? fields : {}) }));
    }
    await events.waitUntilReady();
    return events;
  });

// "drained" brings nothing but its id.
const EVENTS = [
  "active", "added", "cleaned", "completed", "deduplicated", "delayed", "drained", "duplicated",
  "failed", "paused", "progress", "removed", "resumed", "retries-exhausted", "stalled", "waiting",
  "waiting-children",
];

const HAND = { autorun: false, name: "hand", metrics: { maxDataPoints: 20160 } };

/** A worker that claims only when told to, so that a test decides each step. */
const handOf = (name) =>
  one("hand", name, async () => {
    const worker = new bullmq.Worker(name, null, { ...options, ...HAND });
    worker.held = new Map();
    await worker.waitUntilReady();
    return worker;
  });

async function jobOf(queue, id) {
  const held = (await opened.get(`hand ${queue}`))?.held.get(id);
  const found = held ?? (await bullmq.Job.fromId(await queueOf(queue), id));
  if (!found) {
    throw new Error(`there is no job ${id} in ${queue}`);
  }
  return found;
}

const PARTS = {
  async queue({ queue, call, args }) {
    return (await queueOf(queue))[call](...args);
  },

  async job({ queue, job, call, args }) {
    return (await jobOf(queue, job))[call](...args);
  },

  async flow({ call, args }) {
    const producer = await one("flow", "", () => new bullmq.FlowProducer(options));
    return producer[call](...args);
  },

  /** Claim and settle by hand. */
  async hand({ queue, call, args }) {
    const worker = await handOf(queue);
    switch (call) {
      case "claim": {
        const job = await worker.getNextJob(args[0], { block: false });
        if (job?.deferredFailure) {
          // A parent that has to fail for a child's sake: BullMQ's worker does not run it either.
          const why = new bullmq.UnrecoverableError(job.deferredFailure);
          return void (await job.moveToFailed(why, args[0], false));
        }
        job && worker.held.set(job.id, job);
        return job;
      }
      case "complete":
        return void (await worker.held.get(args[0]).moveToCompleted(args[1], args[2], false));
      case "fail": {
        const kind = args[3] ? bullmq.UnrecoverableError : Error;
        return void (await worker.held.get(args[0]).moveToFailed(new kind(args[1]), args[2], false));
      }
      case "recover":
        return worker.moveStalledJobsToWait();
    }
  },

  /** Workers that run by themselves; several of one queue have different names. */
  async worker({ queue, call, args: [name, workerOptions] }) {
    switch (call) {
      case "start": {
        const worker = await one("worker", name, () => {
          const settings = { ...options, ...strategies(workerOptions), name };
          return new bullmq.Worker(queue, perform(bullmq, name), settings);
        });
        worker.on("error", (error) => process.stderr.write(`${name}: ${error.stack}\n`));
        return void (await worker.waitUntilReady());
      }
      case "stop": {
        const worker = await opened.get(`worker ${name}`);
        opened.delete(`worker ${name}`);
        return void (await worker.close());
      }
    }
  },

  async events({ queue, call, args }) {
    const events = await eventsOf(queue);
    switch (call) {
      case "listen":
        return null;
      case "seen":
        return events.seen;
      case "waitUntilFinished": {
        const job = await jobOf(queue, args[0]);
        return job.waitUntilFinished(events, args[1]);
      }
    }
  },

  async board({ queue, call, args: [path, request] }) {
    const board = await one("board", queue, async () => boardOf(await queueOf(queue)));
    return board(call, path, request);
  },
};

/** `{"strategy": 50}` gives every custom backoff a delay of 50 ms. */
function strategies({ strategy, ...rest } = {}) {
  return strategy === undefined ? rest : { ...rest, settings: { backoffStrategy: () => strategy } };
}

function plain(value) {
  if (value instanceof bullmq.Job) {
    return { ...value.toJSON(), stacktrace: value.stacktrace, processedBy: value.processedBy };
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (value?.job instanceof bullmq.Job) {
    return { job: plain(value.job), children: plain(value.children ?? []) };
  }
  return value ?? null;
}

async function answer(line) {
  const { id, on, ...request } = JSON.parse(line);
  try {
    return { id, value: plain(await PARTS[on](request)) };
  } catch (error) {
    return { id, error: { name: error.name, message: error.message } };
  }
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  void answer(line).then(say);
}
for (const each of opened.values()) {
  await (await each).close?.();
}
process.exit(0);
