import { start } from "../queues";

start("mail");
