import { NestFactory } from "@nestjs/core";
import { Mail } from "./mail.processor";
import { OrdersController } from "./orders.controller";
NestFactory.create({ module: Mail, controllers: [OrdersController] }).then((app) => app.listen(3000));
