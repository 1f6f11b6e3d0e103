import { Processor, WorkerHost } from "@nestjs/bullmq";
@Processor("mail")
export class MailProcessor extends WorkerHost { async process(job) {} }
