"""What a client of Redis is made with leads to the broker, whatever the variables are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

NODE = {
    "package.json": '{"dependencies": {"bullmq": "5"}, "scripts": {"worker": "node worker.js"}}',
}
WORKER = "const { Worker } = require('bullmq');\n"
PARTS = "{ host: process.env.QUEUE_HOST ?? 'localhost', port: Number(process.env.QUEUE_PORT) }"
HOST = {"QUEUE_HOST": "redis", "QUEUE_PORT": "6379"}
URL = "redis://redis:6379/0"
WORKSPACE = {
    "package.json": '{"private": true, "workspaces": ["apps/*", "packages/*"]}',
    "apps/worker/package.json": '{"name": "worker", "dependencies": {"bullmq": "5", "@acme/queue": '
    '"*"}, "scripts": {"start": "node dist/main"}}',
    "packages/queue/package.json": '{"name": "@acme/queue", "main": "src/index.ts"}',
}
MADE = {
    "apps/worker/src/main.ts": "import { Worker } from 'bullmq';\nimport { connection } from "
    "'@acme/queue';\nnew Worker('mail', run, { connection });\n",
}
CELERY = {
    "requirements.txt": "celery[redis]\nredis\n",
    "Procfile": "worker: celery -A shop worker\n",
}
SHOP = "import os, redis\nfrom celery import Celery\napp = Celery('shop')\n"
GO = {"go.mod": "module shop\nrequire github.com/hibiken/asynq v0.24.1\n"}
MAIN = (
    'package main\nimport (\n\t"os"\n\t"github.com/hibiken/asynq"\n)\nfunc main() {{\n'
    "\to := asynq.RedisClientOpt{{{}}}\n\tasynq.NewServer(o, c).Run(mux)\n}}\n"
)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (NODE | {"worker.js": f"{WORKER}new Worker('mail', run, {{ connection: {PARTS} }});\n"},
         HOST),
        (NODE | {"worker.js": f"{WORKER}const connection = {PARTS};\n"
                 "new Worker('mail', run, { connection });\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const IORedis = require('ioredis');\n"
                 "new Worker('mail', run, { connection: new IORedis(process.env.QUEUE_URL) });\n"},
         {"QUEUE_URL": URL}),
        (NODE | {"worker.js": f"{WORKER}new Worker('mail', run, {{ connection }});\n",
                 "config.js": f"exports.settings = {{ redis: {PARTS} }};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}new Worker('mail', run, {{ connection: {{\n"
                 "  host: config.get('JOBS_HOST'),\n  password: config.get('JOBS_PASSWORD'),\n"
                 "} });\n"}, {"JOBS_HOST": "redis"}),
        (WORKSPACE | MADE | {
            "packages/queue/src/index.ts": f"export const connection = {PARTS};\n"}, HOST),
        (WORKSPACE | MADE | {
                      "packages/queue/src/index.ts": "export * from './connection';\n",
                      "packages/queue/src/connection.ts":
                      f"export const connection: ConnectionOptions = {PARTS};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const {{ makeConnection: made }} = require('./queue');\n"
                 "new Worker('mail', run, { connection: made(), backoff: { type: 'fixed' } });\n",
                 "queue.js": f"function makeConnection() {{\n  return {PARTS};\n}}\n"
                 "module.exports = { makeConnection };\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const settings = require('./settings');\n"
                 "new Worker('mail', run, { connection: settings.store });\n",
                 "settings.js": f"module.exports = {{ store: {PARTS} }};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const IORedis = require('ioredis');\n"
                 "const store = require('./store');\n"
                 "new Worker('mail', run, { connection: new IORedis(store) });\n",
                 "store.js": f"module.exports = {PARTS};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const options = {{ connection: {PARTS} }};\n"
                 "new Worker('mail', run, { ...options, autorun: true });\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const {{ queue }} = require('./queue.config');\n"
                 "new Worker('mail', run, { connection: queue.store });\n",
                 "queue.config.js": f"exports.queue = {{ store: {PARTS} }};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}new Worker('mail', run, settings);\n",
                 "queue.config.js": "const { Queue } = require('bullmq');\n"
                 f"exports.settings = {{ connection: {PARTS} }};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}const {{ store }} = require('./store');\n"
                 "new Worker('mail', run, { connection: store });\n",
                 "store.js": f"exports.store = {PARTS};\n"}, HOST),
        (NODE | {"worker.js": f"{WORKER}new Worker('mail', run, {{ connection: {{\n"
                 "  url: `redis://${process.env.QUEUE_HOST}:${process.env.QUEUE_PORT}`,\n} });\n"},
         HOST),
        (NODE | {"worker.js": f"{WORKER}BullModule.forRoot({{ connection: {PARTS} }});\n"
                 "new Worker('mail', run, settings);\n"}, HOST),
        (CELERY | {"shop.py": f"{SHOP}r = redis.from_url(os.environ['JOBS_KV_URL'])\n"},
         {"JOBS_KV_URL": URL}),
        (CELERY | {"shop.py": f"{SHOP}r = redis.Redis(host=os.getenv('KV_HOST', 'localhost'),\n"
                   "    port=int(os.getenv('KV_PORT', 6379)))\n"},
         {"KV_HOST": "redis", "KV_PORT": "6379"}),
        (GO | {"main.go": MAIN.format('Addr: os.Getenv("QUEUE_ADDR")')},
         {"QUEUE_ADDR": "redis:6379"}),
    ],
)  # fmt: skip
def test_it_is_told_where_the_broker_is(
    tmp_path: Path, files: dict[str, str], told: dict[str, str]
) -> None:
    plan = make_plan(seen(tmp_path, files), "shop")

    made = render(plan)["compose.prod.yaml"].text
    environment = compose_values(made)["services"]["worker"]["environment"]
    assert {name: environment.get(name) for name in told} == told
    assert not any("container localhost is the container itself" in note for note in plan.notes)


@pytest.mark.parametrize(
    "source",
    [
        f"{WORKER}new Worker('mail', run, {{ connection: {{ host: process.env.HOST }} }});\n",
        f"{WORKER}const url = process.env.QUEUE_HOST;\nnew Worker('mail', run);\n",
        f"{WORKER}const db = {{ type: 'mysql', connection: {{ host: process.env.STORE_HOST }} }};\n"
        "new Worker('mail', run);\n",
        f"{WORKER}const found = new Search({{ connection: {{ host: process.env.FOUND_HOST }} }});\n"
        "new Worker('mail', run);\n",
        f"{WORKER}const about = {{ connection: {{ host: process.env.FOUND_HOST }} }};\n"
        "new Search(about);\nnew Worker('mail', run);\n",
        f"{WORKER}const all = {{ alerts: {{ host: process.env.ALERT_HOST }},\n"
        "  redis: store };\nnew Worker('mail', run, { connection: all });\n",
        f"{WORKER}new Worker('mail', run, {{ connection: {{\n  retryStrategy: (times) => {{\n"
        "    post({ url: process.env.ALERT_URL, host: process.env.ALERT_HOST });\n  },\n} });\n",
        f"{WORKER}new Worker('mail', run, {{ connection: {{\n  url: pick(process.env.CHAT_ID),\n"
        "  host: process.env.EMBEDDING_MODEL,\n} });\n",
        f"{WORKER}SearchModule.register({{ connection: {{ host: process.env.FOUND_HOST }} }});\n"
        "new Worker('mail', run);\n",
        f"{WORKER}knex({{ client: 'pg', connection: {{ host: process.env.DB_HOST }} }});\n"
        "new Worker('mail', run);\n",
    ],
)
def test_what_may_be_another_servers_is_not(tmp_path: Path, source: str) -> None:
    plan = make_plan(seen(tmp_path, NODE | {"worker.js": source}), "shop")

    [store] = [store for store in plan.stores if store.kind == "redis"]
    assert set(store.variables) == {"REDIS_URL"}
