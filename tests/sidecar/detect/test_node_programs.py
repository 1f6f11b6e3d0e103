"""Which programs of Node start workers: those that are there, and that somebody comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detection import Detection
from tests.sidecar.detect.test_programs import commands, seen

NEEDS = '{"dependencies": {"bullmq": "5", "bull": "4", "express": "5"}, "scripts": {%s}}'
MAKES = 'import { Worker } from "bullmq";\nexport const worker = new Worker("mail", send);\n'
SERVES = 'import express from "express";\n%s\nexpress().listen(3000);\n'
NEST = (
    '{"dependencies": {"@nestjs/bullmq": "11", "bullmq": "5"}, "scripts": {"build": "nest build"}}'
)
PROCESSES = (
    'import { Processor } from "@nestjs/bullmq";\n'
    '@Processor("mail")\nexport class MailProcessor {}\n'
)
PROVIDES = (
    'import { MailProcessor } from "./mail.processor";\n'
    'import { AppController } from "./app.controller";\n'
    "@Module({ providers: [MailProcessor] })\nexport class AppModule {}\n"
)
LISTENS = (
    'import { AppModule } from "./app.module";\n'
    "NestFactory.create(AppModule).then((app) => app.listen(3000));\n"
)
ANSWERS = "@Controller()\nexport class AppController {}\n"


def insides(found: Detection) -> list[str]:
    return [each.framework for each in found.embedded]


def node(root: Path, files: dict[str, str], scripts: str = "") -> Detection:
    return seen(root, {"package.json": NEEDS % scripts} | files)


# ---- what nobody calls ------------------------------------------------------------------------


DECLARES = (
    'import { Worker } from "bullmq";\n'
    'export function startMail() {\n  return new Worker("mail", send);\n}\n'
)


@pytest.mark.parametrize(
    ("added", "others", "workers"),
    [
        ("", {}, 0),
        ("startMail();\n", {}, 1),
        ("// startMail();\n", {}, 0),
        ("", {"app.js": 'import { startMail } from "./mail.js";\nexport const a = 1;\n'}, 0),
        ("", {"app.js": 'import { startMail } from "./mail.js";\n// startMail();\n'}, 0),
        ("", {"run.js": 'import { startMail } from "./mail.js";\nstartMail();\n'}, 1),
        ("", {"run.js": 'import { startMail as go } from "./mail.js";\ngo();\n'}, 1),
        ("", {"run.js": 'import("./mail.js").then((mail) => mail.startMail());\n'}, 1),
    ],
)
def test_a_function_that_nobody_calls_makes_no_worker(
    tmp_path: Path, added: str, others: dict[str, str], workers: int
) -> None:
    found = node(tmp_path, {"mail.js": DECLARES + added} | others)

    assert len(found.units) == workers
    assert len(found.units) + len(found.embedded) == workers


@pytest.mark.parametrize(
    "text",
    [
        'import { Worker } from "bullmq";\nexport default () => {\n  new Worker("m", f);\n};\n',
        'import { Worker } from "bullmq";\nexport default function start() {\n'
        '  new Worker("m", f);\n}\n',
        'const { Worker } = require("bullmq");\nfunction start() {\n  new Worker("m", f);\n}\n'
        "module.exports = start;\n",
        'import { Worker } from "bullmq";\n(async () => {\n  new Worker("m", f);\n})();\n',
    ],
)
def test_what_is_exported_as_a_whole_may_be_called_by_any_name(tmp_path: Path, text: str) -> None:
    assert len(node(tmp_path, {"mail.js": text}).units) == 1


ALL = "for (const start of Object.values(workers)) start();\n"


@pytest.mark.parametrize(
    ("files", "workers"),
    [
        ({"run.js": f'import * as workers from "./mail.js";\n{ALL}'}, 1),
        ({"run.js": f'const workers = require("./mail");\n{ALL}'}, 1),
        ({"run.js": 'import * as mail from "./mail.js";\nmail[process.argv[2]]();\n'}, 1),
        ({"run.js": 'import * as mail from "./mail.js";\nconst all = { ...mail };\n'}, 1),
        ({"run.js": 'import * as mail from "./mail.js";\nmail.send([mail.TO], 1);\n'}, 0),
        ({"run.js": 'import * as mail from "./mail.js";\nconst { send } = mail;\n'}, 0),
        ({"run.js": f'import * as workers from "./all.js";\n{ALL}',
          "all.js": 'export * from "./mail.js";\n'}, 1),
        ({"run.js": f'import * as workers from "./all.js";\n{ALL}',
          "all.js": 'export { send } from "./mail.js";\n'}, 0),
    ],
)  # fmt: skip
def test_who_goes_through_all_that_a_module_has_needs_no_names(
    tmp_path: Path, files: dict[str, str], workers: int
) -> None:
    assert len(node(tmp_path, {"mail.js": DECLARES} | files).units) == workers


def test_a_framework_calls_the_functions_of_its_own_files(tmp_path: Path) -> None:
    hook = DECLARES.replace("startMail", "register")

    assert insides(node(tmp_path, {"src/instrumentation.ts": hook})) == ["bullmq"]


@pytest.mark.parametrize(
    ("module", "inside"),
    [(PROVIDES, ["bullmq"]), (PROVIDES.replace("providers: [MailProcessor]", ""), [])],
)
def test_a_processor_of_nest_works_where_a_module_provides_it(
    tmp_path: Path, module: str, inside: list[str]
) -> None:
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/app.module.ts": module}

    found = seen(tmp_path, files | {"src/main.ts": LISTENS, "src/app.controller.ts": ANSWERS})

    assert insides(found) == inside


# ---- programs beside an app -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        (MAKES, []),
        (DECLARES.replace("startMail", "worker"), ["node workers/mail.js"]),
    ],
)
def test_what_the_app_makes_by_an_import_is_not_made_once_more(
    tmp_path: Path, queue: str, words: list[str]
) -> None:
    listens = 'import { worker } from "../queue.js";\nworker().on("failed", console.error);\n'
    app = SERVES % 'import { Queue } from "bullmq";\nimport "./queue.js";'

    found = node(tmp_path, {"queue.js": queue, "app.js": app, "workers/mail.js": listens})

    assert commands(found) == words


def test_a_directory_above_is_no_import(tmp_path: Path) -> None:
    trial = (
        'const Queue = require("bull");\nconst up = path.join(__dirname, "..", "files");\n'
        'new Queue("mail").process(async (job) => up);\n'
    )
    app = 'const express = require("express");\nrequire("./worker");\nexpress().listen(80);\n'
    works = 'const Queue = require("bull");\nnew Queue("mail").process(async (job) => job);\n'

    found = seen(
        tmp_path,
        {"api/package.json": NEEDS % "", "api/queue/video.js": trial, "api/worker.js": works,
         "api/index.js": app},
    )  # fmt: skip

    assert (commands(found), insides(found)) == ([], ["bull"])


@pytest.mark.parametrize("name", ["old-worker", "worker.bak", "mail_backup", "mailProducer"])
def test_what_was_put_away_and_what_only_fills_a_queue_is_no_worker(
    tmp_path: Path, name: str
) -> None:
    found = node(tmp_path, {"workers/mail.js": MAKES, f"workers/{name}.js": MAKES})

    assert commands(found) == ["node workers/mail.js"]


def test_a_copy_of_a_directory_beside_it_has_no_workers(tmp_path: Path) -> None:
    package = NEEDS % ""
    files = {f"{dir}/{name}": text for dir in ("api", "api_backup_v2")
             for name, text in {"package.json": package, "worker.js": MAKES}.items()}  # fmt: skip

    assert [unit.dir for unit in seen(tmp_path, files).units] == ["api"]

    files = {"db-backup/package.json": package, "db-backup/worker.js": MAKES, "db/schema.sql": ""}
    assert {unit.dir for unit in seen(tmp_path, files).units} == {"api", "db-backup"}


@pytest.mark.parametrize(
    "name",
    ["verify", "verify-all", "test-step3-5", "smokeTest", "diagnose", "benchmark", "check_queue"],
)
def test_what_tries_a_project_out_is_neither_its_app_nor_a_worker(
    tmp_path: Path, name: str
) -> None:
    trial = SERVES % 'import "./workers/mail.js";'
    files = {"workers/mail.js": MAKES, "workers/start.js": 'import "./mail.js";\n'}

    assert commands(node(tmp_path, files | {f"{name}.js": trial})) == ["node workers/start.js"]


# ---- Nest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("", ["node dist/main.js"]),
        ("export class AppController {}\n", ["node dist/main.js"]),
        (ANSWERS, []),
        (ANSWERS.replace("@Controller()", "@WebSocketGateway()"), []),
        ("BullBoardModule.forRoot({});\nexport class AppController {}\n", []),
    ],
)
def test_a_program_of_nest_that_nothing_can_be_asked_of_only_works(
    tmp_path: Path, answers: str, words: list[str]
) -> None:
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/main.ts": LISTENS,
             "src/app.module.ts": PROVIDES, "src/app.controller.ts": answers}  # fmt: skip

    found = seen(tmp_path, files)

    assert (commands(found), insides(found)) == (words, [] if words else ["bullmq"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("app.init()", ["node dist/main.js"]),
        ("app.listen(3000)", []),
        ("(exports.handler = wrap(app))", []),
        ("wrap(app.getHttpAdapter())", []),
    ],
)
def test_a_program_of_nest_that_listens_on_nothing_only_works(
    tmp_path: Path, asked: str, words: list[str]
) -> None:
    main = LISTENS.replace("app.listen(3000)", asked)
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/main.ts": main,
             "src/app.module.ts": PROVIDES, "src/app.controller.ts": ANSWERS}  # fmt: skip

    assert commands(seen(tmp_path, files)) == words


def test_a_processor_is_the_library_s_that_its_decorator_is_of(tmp_path: Path) -> None:
    package = '{"dependencies": {"@nestjs/bull": "10", "bull": "4", "bullmq": "5"}}'
    processor = 'import { Job } from "bullmq";\n' + PROCESSES.replace("/bullmq", "/bull")
    files = {"package.json": package, "src/mail.processor.ts": processor, "src/main.ts": LISTENS,
             "src/app.module.ts": PROVIDES, "src/app.controller.ts": ANSWERS}  # fmt: skip

    assert insides(seen(tmp_path, files)) == ["bull"]


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("", ["node dist/jobs.js"]),
        ("\n  await app.get(Sender).run();\n  await app.close();", []),
        ("\n  process.on('SIGTERM', async () => await app.close());", ["node dist/jobs.js"]),
    ],
)
def test_a_context_of_nest_that_is_closed_at_the_end_is_a_command(
    tmp_path: Path, ends: str, words: list[str]
) -> None:
    main = (
        'import { AppModule } from "./app.module";\nasync function bootstrap() {\n'
        f"  const app = await NestFactory.createApplicationContext(AppModule);{ends}\n}}\n"
        "bootstrap();\n"
    )
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/jobs.ts": main}

    assert commands(seen(tmp_path, files | {"src/app.module.ts": PROVIDES})) == words


def test_a_worker_of_nest_may_close_its_context_when_it_fails(tmp_path: Path) -> None:
    main = (
        'import { AppModule } from "./app.module";\nasync function bootstrap() {\n'
        "  const app = await NestFactory.createApplicationContext(AppModule);\n"
        "  try { await app.init(); } catch { await app.close(); }\n}\nbootstrap();\n"
    )
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/mail.worker.ts": main}

    assert commands(seen(tmp_path, files | {"src/app.module.ts": PROVIDES})) == [
        "node dist/mail.worker.js"
    ]


def test_a_command_of_nest_commander_is_no_worker(tmp_path: Path) -> None:
    main = (
        'import { AppModule } from "./app.module";\nasync function bootstrap() {\n'
        "  await CommandFactory.run(AppModule);\n}\nbootstrap();\n"
    )
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/cli.ts": main}

    assert seen(tmp_path, files | {"src/app.module.ts": PROVIDES}).units == ()


def test_a_bot_without_a_server_is_the_app_that_works(tmp_path: Path) -> None:
    main = (
        'import { AppModule } from "./app.module";\n'
        "NestFactory.createApplicationContext(AppModule);\n"
    )
    bot = "export class Bot {\n  onModuleInit() {\n    this.bot\n      .launch({});\n  }\n}\n"
    module = f'import {{ Bot }} from "./bot";\n{PROVIDES}'
    files = {"package.json": NEST, "src/mail.processor.ts": PROCESSES, "src/bot.ts": bot}

    found = seen(tmp_path, files | {"src/app.module.ts": module, "src/main.ts": main})

    assert (commands(found), insides(found)) == ([], ["bullmq"])


# ---- what is known of the framework -----------------------------------------------------------


@pytest.mark.parametrize("manifest", [{}, {"package.json": '{"dependencies": {"next": "16"}}'}])
def test_what_a_file_imports_counts_whatever_the_manifests_say(
    tmp_path: Path, manifest: dict[str, str]
) -> None:
    queue = 'const Bull = require("bull");\nmodule.exports = new Bull("mail");\n'
    process = 'const mails = require("./queue");\nmails.process(async (job) => job);\n'

    found = seen(tmp_path, manifest | {"src/queue.js": queue, "src/processor.js": process})

    assert [(unit.framework, unit.command) for unit in found.units] == [
        ("bull", ("node", "src/processor.js"))
    ]


def test_a_class_that_is_a_queue_of_bull_processes_itself(tmp_path: Path) -> None:
    queue = (
        'import Queue from "bull";\nexport class Jobs<T> extends Queue<T> {\n'
        "  attach() {\n    this.process(this.work);\n  }\n}\n"
    )
    run = 'import { Jobs } from "./jobs.js";\nnew Jobs("mail").attach();\n'

    found = node(tmp_path, {"jobs.ts": queue, "consumer.ts": run})

    assert [unit.framework for unit in found.units] == ["bull"]


# ---- commands that start something -------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "files", "words"),
    [
        ("node dist/worker", {"src/main.ts": "run();\n"}, []),
        ("node dist/worker", {"src/worker.ts": "run();\n"}, ["node dist/worker"]),
        ("node dist/worker", {"src/main.ts": "run();\n", "tsup.config.ts": "x();\n"},
         ["node dist/worker"]),
        ("node worker.js", {"worker.js": "// run();\n"}, []),
        ("node worker.js", {"worker.js": "function run() {}\nmodule.exports = { run };\n"}, []),
        ("node worker.js", {"worker.js": "const { run } = require('./run');\nrun();\n"},
         ["node worker.js"]),
        ("node worker.js", {"worker.js": "'use strict';\nimport './run.js';\n"},
         ["node worker.js"]),
        ("node worker.js", {"worker.js": "import { Loop } from './run.js';\n"
                                         "export const loop = new Loop();\n"}, ["node worker.js"]),
    ],
)  # fmt: skip
def test_a_worker_without_a_framework_is_there_and_does_something(
    tmp_path: Path, command: str, files: dict[str, str], words: list[str]
) -> None:
    package = {"package.json": f'{{"scripts": {{"worker": "{command}"}}}}'}

    assert commands(seen(tmp_path, package | files)) == words


def test_a_worker_without_a_framework_is_one_with_what_it_is_built_from(tmp_path: Path) -> None:
    scripts = '"dev:worker": "tsx watch src/jobs/run.ts", "start:worker": "node dist/jobs/run.js"'
    compose = "services:\n  worker: {build: ., command: node dist/jobs/run.js}\n"
    files = {"src/jobs/run.ts": "run();\n", "compose.yaml": compose}

    found = seen(tmp_path, {"package.json": f'{{"scripts": {{{scripts}}}}}'} | files)

    assert commands(found) == ["node dist/jobs/run.js"]


def test_no_typescript_is_among_what_is_built(tmp_path: Path) -> None:
    scripts = '"build": "tsc", "worker": "node dist/worker.ts"'

    found = node(tmp_path, {"src/worker.ts": MAKES, "tsconfig.json": "{}"}, scripts)

    assert commands(found) == ["node dist/worker.js"]


def test_a_file_that_two_commands_run_is_one_worker(tmp_path: Path) -> None:
    compose = "services:\n  worker: {build: ., command: node apps/worker/src/main.js}\n"
    inner = NEEDS % '"start": "node src/main"'
    files = {"apps/worker/package.json": inner, "apps/worker/src/main.js": MAKES}

    found = seen(tmp_path, {"package.json": "{}", "compose.yaml": compose} | files)

    assert commands(found) == ["node apps/worker/src/main.js"]


# ---- what a file calls it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'import { Queue, Worker as Mailer } from "bullmq";\nnew Mailer("mail", send);\n',
        'import * as mq from "bullmq";\nnew mq.Worker("mail", send);\n',
        'import mq, { Queue } from "bullmq";\nconst { Worker } = mq;\nnew Worker("mail", send);\n',
        'const { Queue, Worker: Mailer } = require("bullmq");\nnew Mailer("mail", send);\n',
        'const Mailer = require("bullmq").Worker;\nnew Mailer("mail", send);\n',
        'import("bullmq").then(({ Worker }) => new Worker("mail", send));\n',
        'import { Worker as Base } from "bullmq";\nclass Mailer extends Base {}\nnew Mailer();\n',
        'import { WorkerPro } from "@taskforcesh/bullmq-pro";\nnew WorkerPro("mail", send);\n',
    ],
)
def test_a_worker_is_one_under_any_name(tmp_path: Path, text: str) -> None:
    assert [unit.framework for unit in node(tmp_path, {"mail.js": text}).units] == ["bullmq"]


@pytest.mark.parametrize(
    "text",
    [
        'import { Job } from "bullmq";\nimport { Worker } from "./own.js";\nnew Worker("mail");\n',
        'import { Queue } from "bullmq";\nclass Worker {}\nnew Worker("mail");\n',
        'import { Worker } from "worker_threads";\nimport { Queue } from "bullmq";\n'
        'new Worker("./mail.js");\n',
        'import { Queue } from "bullmq";\nnew Worker("./in-a-browser.js");\n',
    ],
)
def test_what_is_called_so_and_is_another_s_is_none(tmp_path: Path, text: str) -> None:
    found = node(tmp_path, {"mail.js": text})

    assert (found.units, found.embedded) == ((), ())


# ---- which queue it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "queues"),
    [
        ('import { mail } from "./names.js";\nnew Worker(mail, send);\n', ("letters",)),
        ('import { Names } from "./names.js";\nnew Worker(Names.mail, send);\n', ("letters",)),
        ('const { mail } = require("./names.js");\nnew Worker(mail, send);\n', ("letters",)),
        ('const mail: string = "own";\nnew Worker(mail, send);\n', ("own",)),
        ('import "./names.js";\nfor (const mail of all) new Worker(mail, send);\n', ()),
        ('const user = { mail: "none" };\n(mail) => new Worker(mail, send);\n', ()),
    ],
)
def test_a_queue_s_name_is_a_constant_of_the_file_or_one_that_it_imports(
    tmp_path: Path, text: str, queues: tuple[str, ...]
) -> None:
    names = 'export const mail = "letters";\nexport const Names = { mail: "letters" };\n'
    files = {"names.js": names, "work.ts": f'import {{ Worker }} from "bullmq";\n{text}'}

    [unit] = node(tmp_path, files).units

    assert unit.queues == queues


# ---- who comes to it ----------------------------------------------------------------------------


BOTH = (
    'import { Queue, Worker } from "bullmq";\nexport const mails = new Queue("mail");\n'
    'export const startMail = () => new Worker("mail", send);\n'
)


@pytest.mark.parametrize(
    ("app", "start", "words", "inside"),
    [
        ("mails.add(1);", "startMail();", ["node run.js"], []),
        ("startMail();", "console.log(mails);", [], ["bullmq"]),
    ],
)
def test_a_program_makes_what_it_speaks_of_and_not_all_that_it_imports(
    tmp_path: Path, app: str, start: str, words: list[str], inside: list[str]
) -> None:
    imports = 'import { mails, startMail } from "./queue.js";\n'
    files = {"queue.js": BOTH, "app.js": SERVES % (imports + app), "run.js": imports + start}

    found = node(tmp_path, files)

    assert (commands(found), insides(found)) == (words, inside)


# ---- who serves ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "words", "inside"),
    [
        ("if (cluster.isPrimary) cluster.fork();\nelse require('./body.js');\n", [], ["bullmq"]),
        ("if (true) require('./body.js');\n", ["node run.js"], []),
    ],
)
def test_a_program_that_forks_itself_serves_where_its_body_does(
    tmp_path: Path, starts: str, words: list[str], inside: list[str]
) -> None:
    files = {
        "run.js": f"const cluster = require('cluster');\n{starts}",
        "body.js": "require('./mail.js');\nrequire('./api.js');\n",
        "mail.js": MAKES,
        "api.js": SERVES % "",
    }

    found = node(tmp_path, files, '"start": "node run.js"')

    assert (commands(found), insides(found)) == (words, inside)


# ---- what a worker loads itself -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ("export default async (job) => mails.name;\n", []),
        ("export default async function mail(job) {}\n", []),
        ("const mail = async (job) => {};\nmodule.exports = mail;\n", []),
        ("const { default: mail } = await import('./mail.ts');\nexport default mail;\n", []),
        ("export default async function mail(job) {}\nmail();\n", ["node mail.processor.js"]),
        ("const mail = start();\nexport default mail;\n", ["node mail.processor.js"]),
    ],
)
def test_a_processor_that_a_worker_loads_is_no_program(
    tmp_path: Path, whole: str, words: list[str]
) -> None:
    processor = f'import {{ mails }} from "./queue.js";\nmails.on("failed", log);\n{whole}'
    queue = (
        'import { Queue, Worker } from "bullmq";\nexport const mails = new Queue("mail");\n'
        "function createWorker() {\n  new Worker('mail', `${dir}/mail.processor.js`);\n}\n"
        "export default createWorker;\n"
    )
    app = SERVES % 'import createWorker from "./queue.js";\ncreateWorker();'

    found = node(tmp_path, {"queue.js": queue, "app.js": app, "mail.processor.js": processor})

    assert (commands(found), insides(found)) == (words, [] if words else ["bullmq"])


# ---- Bull ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        "async (job) => job", "handlers['mail']", "'./send.js'", "__dirname + '/send.js'",
        "'mail', 5, path.join(__dirname, 'send.js')", "new URL('./send.js', import.meta.url)",
    ],
)  # fmt: skip
def test_a_queue_of_bull_takes_a_function_or_a_file(tmp_path: Path, given: str) -> None:
    text = (
        f'const Bull = require("bull");\nconst mails = new Bull("mail");\nmails.process({given});\n'
    )

    found = node(tmp_path, {"mail.js": text})

    assert [unit.framework for unit in found.units] == ["bull"]


@pytest.mark.parametrize(("name", "workers"), [("mailQueue", 1), ("parser", 0)])
def test_a_queue_of_bull_may_come_from_another_package(
    tmp_path: Path, name: str, workers: int
) -> None:
    files = {
        "package.json": '{"workspaces": ["packages/*"]}',
        "packages/shared/package.json": '{"name": "@post/shared", "main": "src/index.js",'
                                        ' "dependencies": {"bull": "4"}}',
        "packages/shared/src/index.js": 'export * from "./all.js";\n',
        "packages/shared/src/all.js": 'import Bull from "bull";\n'
                                      f'export const {name} = new Bull("mail");\n',
        "packages/run/package.json": '{"name": "run", "dependencies": {"@post/shared": "*"}}',
        "packages/run/main.js": f'import {{ {name} }} from "@post/shared";\n'
                                f"{name}.process(async (job) => job);\n",
    }  # fmt: skip

    assert len(seen(tmp_path, files).units) == workers


def test_what_a_service_of_nest_processes_is_no_queue(tmp_path: Path) -> None:
    service = (
        'import { InjectQueue } from "@nestjs/bull";\nimport { Queue } from "bull";\n'
        "export class Files {\n  constructor(@InjectQueue('f') private queue: Queue) {}\n"
        "  read(file) {\n    return this.parser.process(file);\n  }\n}\n"
    )
    main = (
        'import { Files } from "./files";\nNestFactory.create(Files).then((a) => a.listen(80));\n'
    )
    package = NEST.replace('"bullmq": "5"', '"bull": "4", "@nestjs/bull": "11"')

    found = seen(tmp_path, {"package.json": package, "src/files.ts": service, "src/main.ts": main})

    assert (found.units, found.embedded) == ((), ())


@pytest.mark.parametrize("path", ["src/app/api/jobs/route.ts", "pages/api/worker.ts"])
def test_a_route_of_next_is_no_program_whatever_it_is_called(tmp_path: Path, path: str) -> None:
    files = {
        "src/queue.ts": MAKES,
        path: 'import { worker } from "@/queue";\nexport const GET = worker;\n',
    }
    assert commands(node(tmp_path, files)) == []

    work = {"scripts/worker.ts": 'import { worker } from "../src/queue";\nworker.run();\n'}
    assert commands(node(tmp_path, work)) == ["tsx scripts/worker.ts"]
