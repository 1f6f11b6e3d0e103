"""Workers without a framework: called so where they are written down, and there to be started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

FILES = {
    "package.json": '{"dependencies": {"amqplib": "1"}}',
    "routes/index.js": "listen();\n",
    "requirements.txt": "pika\n",
    "site/main.py": "serve()\n",
    "Gemfile": 'gem "bunny"\n',
    "go.mod": "module shop\n",
    "main.go": "package main\n\nfunc main() {}\n",
}


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("node mail/src/index.js", "mail/src/index.js"),
        ("node --inspect=1 ./mail/index.js", "mail/index.js"),
        ("tsx src/mail/index.ts", "src/mail/index.ts"),
        ("node dist/mail/index.js", "src/mail/index.ts"),
        ("python -u mail/main.py", "mail/main.py"),
        ("python -m mail.main", "mail/main.py"),
        ("ruby mail/main.rb", "mail/main.rb"),
        ("go run ./cmd/mail", "cmd/mail/main.go"),
        ("go run cmd/mail/main.go", "cmd/mail/main.go"),
    ],
)
def test_a_program_in_a_directory_that_is_not_there_cannot_be_started(
    tmp_path: Path, command: str, path: str
) -> None:
    files = FILES | {"Procfile": f"worker: {command}\n"}
    assert commands(seen(tmp_path, files)) == []

    assert commands(seen(tmp_path, {path: "listen()\n"})) == [command]


def test_what_a_bundler_makes_may_be_called_as_it_likes(tmp_path: Path) -> None:
    files = FILES | {"Procfile": "worker: node dist/mail/index.js\n", "tsup.config.ts": "build()\n"}

    assert commands(seen(tmp_path, files)) == ["node dist/mail/index.js"]
