"""The addresses that a project writes down: each is the default of its own variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect.addresses import addresses
from stoker.sidecar.project import Project

READ = ("JOBS_AT", "CHAT_ID", "EMBEDDING_MODEL")
URL = "redis://localhost:6379/2"


def found(root: Path, name: str, text: str) -> dict[str, str]:
    (root / name).write_text(text.replace("URL", f'"{URL}"'))
    return {name: each.url for name, each in addresses(Project(root), READ).items()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "at = os.environ.get('JOBS_AT', URL)"),
        ("a.py", "at = os.environ.get('JOBS_AT') or URL"),
        ("a.py", "at = os.getenv(\n    'JOBS_AT',\n    URL,\n)"),
        ("a.py", "at = config('JOBS_AT', default=URL)"),
        ("a.js", "const at = process.env.JOBS_AT ?? URL;"),
        ("a.js", "const at = process.env?.JOBS_AT?.trim() || URL;"),
        ("a.rs", '#[clap(long, env = "JOBS_AT", default_value = URL)]'),
        ("a.js", "const at = (process.env.JOBS_AT as string) || URL;"),
        ("a.ts", "JOBS_AT: z\n    .string()\n    .url()\n    .default(URL),"),
        ("a.ts", "JOBS_AT: Joi.string().default(URL)"),
        ("a.go", 'viper.SetDefault("JOBS_AT", URL)'),
        ("a.rb", 'at = ENV.fetch("JOBS_AT") { URL }'),
        ("a.rs", 'env::var("JOBS_AT").unwrap_or_else(|_| URL.into())'),
    ],
)
def test_a_default_is_its_variables(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == {"JOBS_AT": URL}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "model = os.environ['EMBEDDING_MODEL']\nREDIS = URL"),
        ("a.py", "client = make(os.getenv('CHAT_ID'), redis=URL)"),
        ("a.py", "chat = os.getenv('CHAT_ID')\nbroker: str = URL"),
        ("a.js", "start({ chat: process.env.CHAT_ID, redis: URL });"),
        ("a.js", "start(Number(process.env.CHAT_ID), URL);"),
        ("a.rb", "start ENV['CHAT_ID'], url: URL"),
        ("a.js", "const at = process.env.CHAT_ID ? URL : undefined;"),
        ("a.js", "if (process.env.CHAT_ID) at = URL;"),
        ("a.rs", '#[clap(env("CHAT_ID"))]\npub host: String,\n\n/// Such as URL.'),
        ("a.rs", '#[clap(env("CHAT_ID"))]\nhost: String,\n#[clap(long, default_value = URL)]'),
    ],
)
def test_what_stands_behind_another_variable_is_not(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == {}
