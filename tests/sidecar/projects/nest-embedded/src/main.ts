import { NestFactory } from "@nestjs/core";
import { Mail } from "./mail.processor";
NestFactory.create(Mail).then((app) => app.listen(3000));
