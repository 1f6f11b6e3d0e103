"""Whether the project's own compose files can be read: where not, nobody knows what they start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stoker.errors import ConfigError
from stoker.sidecar.plan import own_files
from stoker.sidecar.write.document import read


def refuse_unreadable(root: Path, compose_files: Sequence[str]) -> None:
    """Raise ``ConfigError``, with the line, for one that would be extended and is no YAML."""
    for production in (False, True):
        for path in own_files(compose_files, production=production)[:1]:
            try:
                text = (root / path).read_text("utf-8")
            except OSError as error:
                raise ConfigError(
                    f"{path}: it cannot be read: {error.strerror}", hint="make it readable"
                ) from None
            except UnicodeDecodeError:
                continue  # it was read, and is refused where it would be written
            read(path, text)
