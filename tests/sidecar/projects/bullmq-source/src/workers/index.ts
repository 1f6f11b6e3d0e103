import { Worker } from "bullmq";
import { names } from "../names";

new Worker(names.mail, async () => {});
