"""Plans as a person could have written them: every language, manager and kind of broker."""

from __future__ import annotations

from stoker.sidecar.plan import Health, Image, Plan, Service, Store

REDIS = Store(
    name="redis",
    kind="redis",
    image="redis:7-alpine",
    variables={"REDIS_URL": "redis://redis:6379/0"},
)
RABBITMQ = Store(
    name="rabbitmq",
    kind="rabbitmq",
    image="rabbitmq:4-alpine",
    variables={"BROKER_URL": "amqp://app:app@rabbitmq:5672//"},
)
POSTGRES = Store(
    name="postgres",
    kind="postgres",
    image="postgres:17-alpine",
    variables={"DATABASE_URL": "postgresql://app:app@postgres:5432/shop"},
)
FAKTORY = Store(
    name="faktory",
    kind="faktory",
    image="contribsys/faktory:1.9.1",
    variables={"FAKTORY_URL": "tcp://:dev@faktory:7419"},
)
NATS = Store(
    name="nats",
    kind="nats",
    image="nats:2-alpine",
    variables={"NATS_URL": "nats://nats:4222"},
)

PING = Health(
    command=("sh", "-c", "celery -A tasks inspect ping -d celery@$HOSTNAME -t 10"),
    interval=60,
    timeout=30,
    start_period=30,
)

CELERY = Plan(
    name="celery",
    images=(
        Image(
            name="celery",
            context=".",
            language="python",
            manager="pip",
            version="3.13",
            manifests=("requirements.txt",),
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="celery",
            image="celery",
            command=("celery", "-A", "tasks", "worker", "--loglevel=INFO"),
            needs=("redis",),
            stop_grace=60,
            health=PING,
            watch=(".",),
            reason="Celery finishes its running tasks on SIGTERM",
        ),
        Service(
            name="beat",
            role="scheduler",
            framework="celery",
            image="celery",
            command=("celery", "-A", "tasks", "beat", "--schedule", "/tmp/celerybeat-schedule"),
            needs=("redis",),
            singleton=True,
            watch=(".",),
        ),
        Service(
            name="flower",
            role="dashboard",
            framework="celery",
            image="celery",
            command=("celery", "-A", "tasks", "flower", "--port=5555"),
            needs=("redis",),
            profile="dashboard",
            port=5555,
        ),
    ),
    stores=(REDIS,),
    app=Service(
        name="app",
        role="other",
        framework=None,
        image="celery",
        command=("python", "-m", "http.server", "8000"),
        port=8000,
        needs=("redis",),
        watch=(".",),
    ),
    secrets=("SENTRY_DSN",),
)


def _python(manager: str, framework: str, manifests: tuple[str, ...], *command: str) -> Plan:
    image = Image(
        name=manager,
        context=".",
        language="python",
        manager=manager,
        version="3.13",
        manifests=manifests,
    )
    service = Service(
        name="worker",
        role="worker",
        framework=framework,
        image=manager,
        command=command,
        needs=("rabbitmq",) if framework == "dramatiq" else ("redis",),
        stop_signal="SIGINT" if framework == "huey" else "SIGTERM",
        dev_command=("watchfiles", "--filter", "python", " ".join(command)),
        reloads=True,
        watch=("jobs",),
        queues=("default", "mail"),
    )
    store = RABBITMQ if framework == "dramatiq" else REDIS
    return Plan(name=f"python-{manager}", images=(image,), services=(service,), stores=(store,))


def _node(manager: str, lock: str) -> Plan:
    image = Image(
        name=manager,
        context=".",
        language="node",
        manager=manager,
        version="1" if manager == "bun" else "22",
        manifests=("package.json", lock),
        build=(manager, "run", "build"),
    )
    service = Service(
        name="worker",
        role="worker",
        framework="bullmq",
        image=manager,
        command=("node", "dist/worker.js"),
        needs=("redis",),
        queues=("mail",),
        dev_command=("npx", "tsx", "watch", "src/worker.ts"),
        reloads=True,
        watch=("src",),
    )
    return Plan(name=f"node-{manager}", images=(image,), services=(service,), stores=(REDIS,))


MONOREPO = Plan(
    name="monorepo",
    images=(
        Image(
            name="worker",
            context=".",
            language="node",
            manager="pnpm",
            version="22",
            manifests=(
                "package.json",
                "pnpm-lock.yaml",
                "pnpm-workspace.yaml",
                "packages/worker/package.json",
                "packages/shared/package.json",
            ),
            build=("pnpm", "--filter", "@shop/worker...", "run", "build"),
            package="@shop/worker",
            package_dir="packages/worker",
            dockerfile="Dockerfile.worker",
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="bullmq",
            image="worker",
            command=("node", "dist/main.js"),
            dir="packages/worker",
            needs=("redis", "postgres"),
            watch=("packages/worker/src", "packages/shared/src"),
        ),
    ),
    stores=(REDIS, POSTGRES),
    secrets=("OPENAI_API_KEY",),
)

SIDEKIQ = Plan(
    name="sidekiq",
    images=(
        Image(
            name="sidekiq",
            context=".",
            language="ruby",
            manager="bundler",
            version="3.3",
            manifests=("Gemfile", "Gemfile.lock"),
            system_packages=("libpq5",),
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="sidekiq",
            image="sidekiq",
            command=("bundle", "exec", "sidekiq", "-C", "config/sidekiq.yml"),
            needs=("redis",),
            queues=("critical", "default"),
            stop_grace=30,
            health=Health(
                command=(
                    "sh",
                    "-c",
                    'bundle exec sidekiqmon processes | grep -q "^$HOSTNAME:"',
                )
            ),
            watch=("app", "lib"),
        ),
    ),
    stores=(REDIS,),
)

ASYNQ = Plan(
    name="asynq",
    images=(
        Image(
            name="worker",
            context="backend",
            language="go",
            manager="go",
            version="1.24",
            manifests=("go.mod", "go.sum"),
            binary="./cmd/worker",
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="asynq",
            image="worker",
            command=("worker",),
            needs=("redis",),
            queues=("critical",),
            stop_grace=15,
            dev_command=("go", "run", "./cmd/worker"),
            watch=("cmd", "internal"),
        ),
    ),
    stores=(REDIS,),
)

FAKTORY_RUST = Plan(
    name="faktory",
    images=(
        Image(
            name="worker",
            context=".",
            language="rust",
            manager="cargo",
            version="1.90",
            manifests=("Cargo.toml", "Cargo.lock"),
            binary="worker",
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="faktory",
            image="worker",
            command=("worker",),
            needs=("faktory",),
        ),
    ),
    stores=(FAKTORY,),
)

PROCRASTINATE = Plan(
    name="procrastinate",
    images=(
        Image(
            name="app",
            context=".",
            language="python",
            manager="uv",
            version="3.13",
            manifests=("pyproject.toml", "uv.lock"),
        ),
    ),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="procrastinate",
            image="app",
            command=("procrastinate", "--app", "jobs.app", "worker"),
            needs=("postgres",),
            queues=("it's mail",),
        ),
    ),
    stores=(POSTGRES,),
)

TASKIQ_NATS = Plan(
    name="taskiq",
    images=PROCRASTINATE.images,
    services=(
        Service(
            name="worker",
            role="worker",
            framework="taskiq",
            image="app",
            command=("taskiq", "worker", "jobs:broker", "-fsd"),
            needs=("nats",),
        ),
    ),
    stores=(NATS,),
)

OWN_DOCKERFILE = Plan(
    name="own",
    images=(
        Image(
            name="web",
            context="web",
            language="ruby",
            manager="bundler",
            version="3.3",
            manifests=("Gemfile",),
            existing=True,
        ),
    ),
    services=(
        Service(
            name="jobs",
            role="worker",
            framework="resque",
            image="web",
            command=("sh", "-c", "exec bundle exec rake resque:work"),
            environment={"QUEUE": "*"},
            needs=("redis",),
            stop_signal="SIGQUIT",
            watch=("app",),
        ),
    ),
    stores=(REDIS,),
)

SQLITE = Plan(
    name="sqlite",
    images=CELERY.images[:1],
    services=(
        Service(
            name="worker",
            role="worker",
            framework="stoker",
            image="celery",
            command=("stoker", "worker", "jobs:app"),
            needs=("jobs",),
            stop_grace=40,
        ),
    ),
    stores=(
        Store(
            name="jobs",
            kind="sqlite",
            image="sqlite:3",
            variables={"STOKER_URL": "sqlite:////data/jobs.db"},
        ),
    ),
)

PLANS = {
    plan.name: plan
    for plan in (
        CELERY,
        _python("uv", "rq", ("pyproject.toml", "uv.lock"), "rq", "worker", "default"),
        _python("poetry", "huey", ("pyproject.toml", "poetry.lock"), "huey_consumer", "jobs.huey"),
        _python("pdm", "dramatiq", ("pyproject.toml", "pdm.lock"), "dramatiq", "jobs"),
        _python("pipenv", "arq", ("Pipfile", "Pipfile.lock"), "arq", "jobs.Settings"),
        _node("npm", "package-lock.json"),
        _node("pnpm", "pnpm-lock.yaml"),
        _node("yarn", "yarn.lock"),
        _node("bun", "bun.lock"),
        MONOREPO,
        SIDEKIQ,
        ASYNQ,
        FAKTORY_RUST,
        PROCRASTINATE,
        TASKIQ_NATS,
        OWN_DOCKERFILE,
        SQLITE,
    )
}
