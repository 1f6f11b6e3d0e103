"""What a package is installed with."""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.detect import detect


def test_a_newer_yarn_is_known_by_its_settings(tmp_path: Path) -> None:
    for name, text in {
        "package.json": '{"name": "shop", "dependencies": {"bullmq": "5"}, "workspaces": ["mail"]}',
        "mail/package.json": '{"name": "mail"}',
        "yarn.lock": "",
        ".yarnrc.yml": "nodeLinker: node-modules\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    shop, mail = detect(tmp_path).packages

    assert shop.manifests == ("package.json", "yarn.lock", ".yarnrc.yml")
    assert mail.manifests == ("mail/package.json", "yarn.lock", ".yarnrc.yml")
