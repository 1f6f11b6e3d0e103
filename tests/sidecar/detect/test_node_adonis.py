"""Workers of AdonisJS: ``node ace`` has them, or the app's own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.planning import make_plan
from tests.sidecar.detect.test_programs import commands, seen

PACKAGES = [
    ("@rlanz/bull-queue", "bullmq", "queue:listen"),
    ("@nemoventures/adonis-jobs", "bullmq", "queue:work"),
    ("@rocketseat/adonis-bull", "bull", "bull:listen"),
    ("@somebody/adonis-bull", "bull", "bull:listen"),
    ("adonis-queue", "bull", "queue:listen"),
]
NEEDS = '{"dependencies": {"@adonisjs/core": "6", "%s": "3"}, "scripts": {%s}}'
JOB = {
    "ace.js": "await import('./bin/console.js');\n",
    "app/jobs/mail.ts": "export class Mail {}\n",
}


@pytest.mark.parametrize(("package", "framework", "command"), PACKAGES)
def test_ace_works_where_the_app_has_jobs(
    tmp_path: Path, package: str, framework: str, command: str
) -> None:
    found = seen(tmp_path, JOB | {"package.json": NEEDS % (package, "")})

    assert [(unit.framework, unit.command) for unit in found.units] == [
        (framework, ("node", "ace", command))
    ]
    assert found.brokers == ("redis",)


@pytest.mark.parametrize(("package", "framework", "command"), PACKAGES)
def test_a_preload_that_executes_the_command_works_inside_of_the_app(
    tmp_path: Path, package: str, framework: str, command: str
) -> None:
    preload = f"await ace.boot();\nconst command = await ace.exec('{command}', []);\n"
    files = JOB | {"package.json": NEEDS % (package, ""), "start/queue.ts": preload}

    found = seen(tmp_path, files)

    assert found.units == ()
    assert [(each.framework, each.evidence[0].line) for each in found.embedded] == [(framework, 2)]


def test_bull_s_own_preload_works_inside_of_the_app(tmp_path: Path) -> None:
    package = NEEDS % ("@rocketseat/adonis-bull", "")
    preload = "import Bull from '@ioc:Rocketseat/Bull';\nBull.process();\n"

    found = seen(tmp_path, JOB | {"package.json": package, "start/bull.ts": preload})

    assert (found.units, [each.framework for each in found.embedded]) == ((), ["bull"])


@pytest.mark.parametrize("missing", ["ace.js", "app/jobs/mail.ts"])
def test_nothing_works_without_a_command_or_without_jobs(tmp_path: Path, missing: str) -> None:
    files = JOB | {"package.json": NEEDS % ("@rlanz/bull-queue", "")}
    del files[missing]

    found = seen(tmp_path, files)

    assert (found.units, found.embedded) == ((), ())


def test_a_command_that_is_written_down_says_its_queues(tmp_path: Path) -> None:
    procfile = "web: node bin/server.js\nworker: node ace queue:listen --queue=mail,file\n"
    files = JOB | {"package.json": NEEDS % ("@rlanz/bull-queue", ""), "Procfile": procfile}

    [unit] = seen(tmp_path, files).units

    assert (unit.command, unit.queues) == (
        ("node", "ace", "queue:listen", "--queue=mail,file"), ("mail", "file"),
    )  # fmt: skip


def test_another_command_of_ace_is_no_worker(tmp_path: Path) -> None:
    package = NEEDS % ("@rlanz/bull-queue", '"dev": "node ace serve"')

    found = seen(tmp_path, JOB | {"package.json": package})

    assert commands(found) == ["node ace queue:listen"]


@pytest.mark.parametrize(("command", "whole"), [("node ace", True), ("node build/ace", False)])
def test_ace_runs_the_source_by_what_is_there_for_development(
    tmp_path: Path, command: str, whole: bool
) -> None:
    files = JOB | {
        "package.json": NEEDS % ("@rlanz/bull-queue", '"build": "node ace build"'),
        "Procfile": f"worker: {command} queue:listen\n",
    }

    [image] = make_plan(seen(tmp_path, files)).images

    assert image.dev_packages is whole


OWN = """\
import BullMQ from '@ioc:Adonis/Addons/BullMQ'

export default class Listener extends BaseCommand {
  public static commandName = 'queue:listener'

  public async run() {
    BullMQ.worker<Mail, void>('mail', async (job) => send(job))
  }
}
"""


def test_a_command_of_the_app_s_own_that_makes_a_worker_is_started_by_ace(tmp_path: Path) -> None:
    files = {"package.json": NEEDS % ("adonis5-bullmq", ""), "ace": "", "commands/Listener.ts": OWN}

    [unit] = seen(tmp_path, files).units

    assert (unit.framework, unit.command, unit.queues) == (
        "bullmq", ("node", "ace", "queue:listener"), ("mail",),
    )  # fmt: skip

    [unit] = seen(tmp_path, {"Procfile": "worker: node build/ace queue:listener\n"}).units
    assert unit.command == ("node", "build/ace", "queue:listener")


@pytest.mark.parametrize(("name", "workers"), [("mail:worker", 1), ("mail:send", 0)])
def test_a_command_of_the_app_s_own_that_imports_a_worker_is_one_by_its_name(
    tmp_path: Path, name: str, workers: int
) -> None:
    makes = "import { Worker } from 'bullmq'\nexport const worker = new Worker('mail', send)\n"
    command = OWN.replace("import BullMQ from '@ioc:Adonis/Addons/BullMQ'", "import '../queue.js'")
    command = command.replace("BullMQ.worker<Mail, void>", "run").replace("queue:listener", name)
    files = {"package.json": NEEDS % ("bullmq", ""), "ace.js": "", "queue.ts": makes,
             "commands/mail.ts": command, "start/routes.ts": "import '../queue.js'\n",
             "Procfile": f"mail: node ace {name}\n"}  # fmt: skip

    assert len(seen(tmp_path, files).units) == workers


def test_a_command_that_only_imports_what_the_app_loads_is_no_worker(tmp_path: Path) -> None:
    makes = "import { Worker } from 'bullmq'\nexport const worker = new Worker('mail', send)\n"
    command = OWN.replace("import BullMQ from '@ioc:Adonis/Addons/BullMQ'", "import '../queue.js'")
    files = {
        "package.json": NEEDS % ("bullmq", ""), "ace.js": "", "queue.ts": makes,
        "start/queue.ts": "import '../queue.js'\n",
        "commands/send.ts": command.replace("BullMQ.worker<Mail, void>", "enqueue"),
    }  # fmt: skip

    found = seen(tmp_path, files)

    assert (found.units, [each.framework for each in found.embedded]) == ((), ["bullmq"])


@pytest.mark.parametrize(
    ("package", "command", "roles"),
    [
        ("adonisjs-scheduler", "scheduler:run", ["scheduler"]),
        ("adonisjs-scheduler", "schedule:work", ["scheduler"]),
        ("adonis-scheduler", "run:scheduler", ["scheduler"]),
        ("adonisjs-scheduler", "migration:run", []),
        ("@adonisjs/lucid", "scheduler:run", []),
    ],
)
def test_a_clock_that_is_deployed_is_a_scheduler(
    tmp_path: Path, package: str, command: str, roles: list[str]
) -> None:
    files = {"package.json": NEEDS % (package, ""), "Procfile": f"clock: node ace {command}\n"}

    assert [unit.role for unit in seen(tmp_path, JOB | files).units] == roles
