// When patterns are due, as cron-parser has it. A question a line, an array of times or null each.
import readline from "node:readline";
import { CronExpressionParser } from "cron-parser";

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { pattern, after, tz, count } = JSON.parse(line);
  let times = null;
  try {
    const schedule = CronExpressionParser.parse(pattern, { currentDate: new Date(after), tz });
    times = Array.from({ length: count }, () => schedule.next().getTime());
  } catch {
    // refused, or never due
  }
  console.log(JSON.stringify(times));
}
