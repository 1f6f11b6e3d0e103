import { named } from "./redis";
import { send } from "../mail/send";

export function startAll() {
  const mailQueue = named("mail");
  mailQueue.process(5, send);
}
