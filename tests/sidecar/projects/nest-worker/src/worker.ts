import { NestFactory } from "@nestjs/core";
import { Mail } from "./mail.processor";
NestFactory.createApplicationContext(Mail);
