import { start } from "@m/queue";
start();
