import { Processor, WorkerHost } from "@nestjs/bullmq";

@Processor("mail", { concurrency: 3 })
export class Mail extends WorkerHost {}
