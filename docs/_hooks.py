"""The pages that also stand in the root, and one entry in the navigation for each decision."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> None:
    decisions = sorted(Path(config.docs_dir, "decisions").glob("*.md"))
    assert config.nav is not None
    config.nav.append({"Decisions": [f"decisions/{path.name}" for path in decisions]})


def on_files(files: Files, config: MkDocsConfig) -> None:
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=LINK.sub(site_link, text)))


def site_link(link: re.Match[str]) -> str:
    """A link of the root's page as the site has it: one to a file it does not hold is only text."""
    target = link["target"]
    anchor = link["anchor"] or ""
    if "://" in target:
        return link.group()
    if target in PAGES:
        return f"[{link['text']}]({PAGES[target]}{anchor})"
    if target.startswith("docs/") and target.endswith(".md"):
        return f"[{link['text']}]({target.removeprefix('docs/')}{anchor})"
    if (ROOT / target).exists():
        return link["text"]
    return link.group()  # broken here as there: the strict build says so
