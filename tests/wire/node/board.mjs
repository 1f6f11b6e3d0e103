// Bull Board's own API without its web server: what its adapter would answer to a request.

import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";

/** Takes what the board hands to a web server, and keeps the routes. */
class Adapter {
  setQueues(queues) {
    this.queues = queues;
    return this;
  }

  setApiRoutes(routes) {
    this.routes = routes;
    return this;
  }

  setViewsPath = () => this;
  setStaticPath = () => this;
  setUIConfig = () => this;
  setEntryRoute = () => this;
  setErrorHandler = () => this;
}

export function boardOf(queue) {
  const adapter = new Adapter();
  createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: adapter });

  return async function request(method, path, { query = {}, body = {} } = {}) {
    for (const route of adapter.routes) {
      const params = match(route, method, path);
      if (params) {
        const asked = { queues: adapter.queues, params, query: texts(query), body, headers: {} };
        const { status = 200, body: answer } = await route.handler(asked);
        return { status, body: answer };
      }
    }
    throw new Error(`Bull Board has no route ${method} ${path}`);
  };
}

/** Queries come as text, as from a web server. */
const texts = (query) =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));

function match(route, method, path) {
  if (![route.method].flat().includes(method)) {
    return null;
  }
  for (const pattern of [route.route].flat()) {
    const names = [...pattern.matchAll(/:(\w+)/g)].map((found) => found[1]);
    const found = path.match(new RegExp(`^${pattern.replace(/:\w+/g, "([^/]+)")}$`));
    if (found) {
      return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1])]));
    }
  }
  return null;
}
