// The one job that both sides know: it does the steps that its data lists. The same in Python is
// tests/wire/perform.py. What begins and ends is written to the ledger, if there is one, before
// anybody else can learn of it.

import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const ledger = process.env.WIRE_LEDGER;

function note(kind, job, worker) {
  if (ledger) {
    const line = { kind, job: job.id, at: Date.now() / 1000, pid: process.pid, worker };
    appendFileSync(ledger, `${JSON.stringify(line)}\n`);
  }
}

export function perform(bullmq, worker) {
  const steps = {
    progress: (job, value) => job.updateProgress(value),
    log: (job, line) => job.log(line),
    data: (job, data) => job.updateData(data),
    nap: (_, ms) => sleep(ms),
    async gate(_, path) {
      while (!existsSync(path)) {
        await sleep(5);
      }
    },
    fail(_, message) {
      throw new Error(message);
    },
    failUntil(job, attempt) {
      if (job.attemptsMade + 1 < attempt) {
        throw new Error(`attempt ${job.attemptsMade + 1}`);
      }
    },
    giveUp(_, message) {
      throw new bullmq.UnrecoverableError(message);
    },
    // What a parent sees of its children.
    children: async (job) => ({ return: await job.getChildrenValues() }),
    return: (_, value) => ({ return: value }),
  };

  return async (job) => {
    note("start", job, worker);
    let result = null;
    for (const [step, argument] of job.data.steps ?? []) {
      const said = await steps[step](job, argument);
      result = said?.return !== undefined ? said.return : result;
    }
    note("end", job, worker);
    return result;
  };
}
