// The depot's API, had it been written in Node: it adds jobs, and the Python worker runs them.
//
//   node producer.mjs sweep                   compare rows and store; verify what has arrived
//   node producer.mjs verify harbour-museum 17   verify one upload of an organisation again
//
// STOKER_URL says where the jobs are, for the worker too. Prints the job's result as JSON; the exit
// code is 1 if it fails.

import { Queue, QueueEvents } from "bullmq";

const SECONDS = 60;

const USAGE = `usage: node producer.mjs sweep
       node producer.mjs verify ORGANISATION UPLOAD
STOKER_URL=redis://host:6379/0 says where the jobs are.`;

/** The queue, name, data and options of what the command line asks for: as in depot/queues.py. */
function jobFor([command, organisationId, upload]) {
  if (command === "sweep") {
    const once = { deduplication: { id: "sync-uploads" } };
    return { queue: "maintenance", name: "sync-uploads", data: {}, opts: once };
  }
  const uploadId = Number(upload);
  if (command === "verify" && organisationId && Number.isInteger(uploadId)) {
    const once = { deduplication: { id: `upload-${uploadId}` } };
    return { queue: "verify", name: "verify-upload", data: { organisationId, uploadId }, opts: once };
  }
  return undefined;
}

async function run({ queue: name, name: task, data, opts }, url) {
  const options = { connection: { url, maxRetriesPerRequest: null } };
  const queue = new Queue(name, options);
  const events = new QueueEvents(name, options);
  try {
    await events.waitUntilReady(); // or the end of a short job could be missed
    const job = await queue.add(task, data, opts);
    console.error(`job ${job.id} of ${name} is added`);
    return await job.waitUntilFinished(events, SECONDS * 1000);
  } finally {
    await Promise.all([events.close(), queue.close()]);
  }
}

const wanted = jobFor(process.argv.slice(2));
const url = process.env.STOKER_URL ?? process.env.REDIS_URL;
if (!wanted || !url) {
  console.error(USAGE);
  process.exit(2);
}
try {
  console.log(JSON.stringify(await run(wanted, url)));
} catch (error) {
  console.error(`it failed: ${error.message}`);
  process.exitCode = 1;
}
