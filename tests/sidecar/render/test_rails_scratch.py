"""In Kubernetes a worker's file system is read-only, and Rails writes to the app's ``tmp``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import ok
from tests.sidecar.reading import yaml_documents
from tests.sidecar.write.test_chosen_programs import put

RUBY = {
    "Gemfile": 'gem "rails"\ngem "sidekiq"\ngem "bootsnap"\n',
    "Procfile": "worker: bundle exec sidekiq\n",
    "config/application.rb": "module Blog\nend\n",
    "app/jobs/mail_job.rb": "class MailJob\n  include Sidekiq::Job\nend\n",
}
OWN = "FROM ruby:3.4\nWORKDIR /rails\nCOPY . .\n"
STAGES = "FROM ruby:3.4 AS base\nWORKDIR /rails\nFROM base AS build\nCOPY . .\nFROM base\n"
PYTHON = {"requirements.txt": "celery\n", "Procfile": "worker: celery -A shop worker\n"}


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (RUBY, ["/tmp", "/app/tmp"]),
        (RUBY | {"Dockerfile": OWN}, ["/tmp", "/rails/tmp"]),
        (
            RUBY | {"Dockerfile": f"{STAGES}COPY --from=build /rails /rails\n"},
            ["/tmp", "/rails/tmp"],
        ),
        ({f"web/{path}": text for path, text in RUBY.items()}, ["/tmp", "/app/tmp"]),
        (PYTHON, ["/tmp"]),
        (PYTHON | {"Dockerfile": OWN.replace("ruby:3.4", "python:3.13")}, ["/tmp"]),
    ],
)
def test_it_may_write_there(files: dict[str, str], places: list[str], tmp_path: Path) -> None:
    put(tmp_path, files)

    ok("sidecar", "generate", str(tmp_path), "--target", "kubernetes")

    documents = yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
    (pod,) = [each["spec"]["template"]["spec"] for each in documents if "template" in each["spec"]]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert list(mounts.values()) == places
    assert mounts.keys() == {each["name"] for each in pod["volumes"] if "emptyDir" in each}
