"""The variables that a project's source reads: seen in bytes, whatever else a file has in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect.environment import variables
from stoker.sidecar.project import Project


def read(root: Path, name: str, text: str, encoding: str = "utf-8") -> list[str]:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text, encoding=encoding)
    return variables(Project(root))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.py", 'os.environ["PORT"]'),
        ("a.py", "os.environ.get('PORT', 80)"),
        ("a.py", "class Settings:\n    PORT: int = 80"),
        ("a.py", "class Settings:\n    PORT : int = 80"),
        ("a.ts", "process.env.PORT"),
        ("a.ts", "import.meta.env.PORT"),
        ("a.ts", "config.get<string>(`PORT`)"),
        ("a.ts", "z.object({\n  PORT: z.string() }) // zod"),
        ("a.go", 'Port int `env:"PORT"`'),
        ("a.go", 'os.Getenv(\n\t\t"PORT")'),
        ("a.rb", "ENV.fetch('PORT')"),
        ("a.rs", 'env::var("PORT")'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_variable_is_seen_as_each_language_asks_for_it(
    tmp_path: Path, name: str, line: str, encoding: str
) -> None:
    assert read(tmp_path, name, f"é\n{line}\n", encoding) == ["PORT"]


@pytest.mark.parametrize("name", ["tests/a.ts", "src/a.test.ts", "src/a.spec.tsx"])
def test_what_only_a_test_reads_is_no_variable_of_the_app(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, "src/main.ts", "process.env.PORT") == ["PORT"]
    assert read(tmp_path, name, "process.env.TEST_PORT") == ["PORT"]


@pytest.mark.parametrize("line", ['x = "PORT"', "{\n  PORT: text }", "my_env.PORT", "t('PORT')"])
def test_a_name_that_nobody_asks_the_environment_for_is_none(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, "a.ts", line) == []
