import { fastify } from "fastify";
import "./container";

const app = fastify();
app.listen({ port: 3333, host: "0.0.0.0" });
