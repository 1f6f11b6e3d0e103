import { NestFactory } from "@nestjs/core";
NestFactory.create(Object).then((app) => app.listen(3000));
