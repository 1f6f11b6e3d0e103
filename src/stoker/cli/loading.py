"""From ``module:app`` to the application it names."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from stoker.app import Stoker
from stoker.cli.faults import own_frames
from stoker.errors import ConfigError, StokerError

EXAMPLE = "for example: shop.jobs:app"


def load(reference: str) -> Stoker:
    """Import the module and return the application.

    ``module`` alone is enough if there is one ``Stoker`` in it. The current directory is searched
    first. Raises ``ConfigError``.
    """
    module_name, attribute = _parts(reference)
    _refuse_path(reference, module_name, attribute)
    module = _import(module_name)
    if not attribute:
        return _only_one(module)
    return _named(module, attribute)


def refuse_missing(reference: str) -> None:
    """Raise ``ConfigError`` if there is no such module. The application's own code is not run."""
    name, attribute = _parts(reference)
    _refuse_path(reference, name, attribute)
    _search_here()
    within: Sequence[str] | None = None
    known: list[str] = []
    for part in name.split("."):
        known.append(part)
        found = (finder.find_spec(".".join(known), within) for finder in sys.meta_path)
        spec = next((each for each in found if each is not None), None)
        if spec is None:
            raise _missing(".".join(known))
        within = spec.submodule_search_locations or ()


def _parts(reference: str) -> tuple[str, str]:
    """Cut at the colon, which is not that of a Windows drive."""
    drive = re.match(r"[A-Za-z]:[\\/]", reference)
    start = drive.end() if drive else 0
    module, _, attribute = reference[start:].partition(":")
    return reference[:start] + module, attribute


def _refuse_path(reference: str, module: str, attribute: str) -> None:
    if all(part.isidentifier() for part in module.split(".")) and not module.endswith(".py"):
        return
    path = Path(module.replace("\\", "/"))
    dotted = ".".join(path.with_suffix("").parts if path.suffix == ".py" else path.parts)
    usable = all(part.isidentifier() for part in dotted.split("."))
    attribute = attribute or "app"
    if usable:
        hint = f"name the module, as import does: {dotted}:{attribute}"
    elif path.stem.isidentifier():
        hint = f"in the folder it is in, name the module as import does: {path.stem}:{attribute}"
    else:
        hint = EXAMPLE
    raise ConfigError(f"{reference!r} does not name an app", hint=hint)


def _import(name: str) -> ModuleType:
    _search_here()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise _missing(error.name) from error
        raise _broken(name, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a script without a __main__ guard
        raise _broken(name, error) from error


def _search_here() -> None:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _missing(name: str) -> ConfigError:
    hint = f"it is searched for in {Path.cwd()} and in this Python's packages"
    if close := difflib.get_close_matches(name, _modules_here(), 1):
        hint = f"did you mean {close[0]!r}? {hint}"
    return ConfigError(f"there is no module {name!r}", hint=hint)


def _modules_here() -> list[str]:
    return [path.stem for path in Path.cwd().iterdir() if path.suffix == ".py" or path.is_dir()]


def _broken(name: str, error: BaseException) -> ConfigError:
    indented = "\n".join(f"  {line}" for line in own_frames(error).splitlines())
    hint = "correct it and try again"
    if isinstance(error, StokerError):
        hint = error.hint or hint
    elif isinstance(error, ModuleNotFoundError):
        hint = f"install what provides {error.name!r} into {sys.prefix}, or correct the import"
    elif isinstance(error, SystemExit):
        hint = "what is to run only as a script belongs below: if __name__ == '__main__':"
    return ConfigError(f"module {name!r} cannot be imported\n{indented}", hint=hint)


def _only_one(module: ModuleType) -> Stoker:
    found = _apps(module)
    distinct = list({id(app): app for app in found.values()}.values())
    if len(distinct) == 1:
        return distinct[0]
    if distinct:
        raise ConfigError(
            f"module {module.__name__!r} has {len(distinct)} apps", hint=_choices(module, found)
        )
    raise ConfigError(
        f"there is no app in module {module.__name__!r}",
        hint="app = Stoker() makes one; name the module where that is",
    )


def _named(module: ModuleType, attribute: str) -> Stoker:
    value: Any = module
    for name in attribute.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise ConfigError(
                f"module {module.__name__!r} has no {attribute!r}",
                hint=_choices(module, _apps(module)),
            ) from None
    if isinstance(value, Stoker):
        return value
    kind = "a class" if isinstance(value, type) else f"of type {type(value).__name__}"
    raise ConfigError(
        f"{module.__name__}:{attribute} is not an app but {kind}",
        hint=_choices(module, _apps(module)),
    )


def _apps(module: ModuleType) -> dict[str, Stoker]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Stoker)}


def _choices(module: ModuleType, found: dict[str, Stoker]) -> str:
    if not found:
        return "there is no Stoker in this module: app = Stoker() makes one"
    return "there is: " + ", ".join(f"{module.__name__}:{name}" for name in found)
