import { Module } from "@nestjs/common";
import { MailProcessor } from "./mail.processor";
import { OrdersController } from "./orders.controller";
@Module({ providers: [MailProcessor], controllers: [OrdersController] })
export class WorkerModule {}
