"""What a file of Node imports, and where that leads: by a path, an alias, or into a workspace."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from stoker.sidecar.detect.manifests import Manifests, directory, table
from stoker.sidecar.project import Project, decoded

SUFFIXES = ("ts", "tsx", "mts", "cts", "js", "mjs", "cjs")
_PREFIXES = ("@/", "~/", "#", "src/", "@app/", "$lib/")
"""What stands for the root of the package, or of its source, by habit."""
_NAME = r"""["']([^"'\n]{1,300})["']"""
_IMPORTS = tuple(
    re.compile(way.encode())
    for way in (
        rf"from(?<!\wfrom)\s*{_NAME}",
        r"""\((?=\s*["'_])(?:(?<=\bimport\()|(?<=\brequire\()|(?<=\bfork\()|(?<=\bnew URL\()|"""
        rf"(?:(?<=\bjoin\()|(?<=\bresolve\())__dirname,(?!\s*[\"']\.\.?/?[\"']))\s*{_NAME}",
        rf"processor\s*:\s*{_NAME}",
        rf"import(?<!\wimport)(?:\s*{_NAME}|\s+type\b[^;\n]*?from\s*{_NAME.replace('(', '(?:')})",
    )
)
"""Four searches for a plain text take less time than one for any of four: ``re`` skips faster."""
_BUILT = re.compile(r"\.(d\.ts|[cm]?jsx?)$")


def imported(data: bytes) -> list[str]:
    """Return what a file imports in their order, without what is only a type."""
    # A type's import is found twice; the last pattern, which comes last, has no name for it.
    found = {each.end(): _named(each) for way in _IMPORTS for each in way.finditer(data)}
    names = b"\n".join(dict.fromkeys(name for _, name in sorted(found.items()) if name))
    return decoded(names).split("\n") if names else []


def _named(found: re.Match[bytes]) -> bytes:
    """Return a name as an import would have it: ``join(__dirname, "work/index.js")`` is beside."""
    beside = b"__dirname" in found[0] and not found[1].startswith((b".", b"/"))
    return b"./" + found[1] if beside else found[1]


class Resolver:
    """Finds the files that imports name."""

    def __init__(self, project: Project, manifests: Manifests, paths: Iterable[str]) -> None:
        self.project, self.manifests = project, manifests
        self._known = frozenset(paths)
        self._by_stem = {
            path.removesuffix(f".{suffix}"): path
            for suffix in reversed(SUFFIXES)
            for path in self._known if path.endswith(f".{suffix}")
        }  # fmt: skip
        """The files without their suffixes; of several that of the first one."""
        self._found: dict[str, str] = {}
        """By the directory or the package that imports, where this matters, and the name."""

    def resolved(self, path: str, names: Iterable[str]) -> list[str]:
        """Return the files that ``path`` imports by these names; what is of others has none."""
        dir = directory(path)
        package = self.manifests.package_of(dir, "node")
        home = package.dir if package else "."
        found: list[str] = []
        for name in names:
            from_where = dir if name[0] == "." else home if name.startswith(_PREFIXES) else ""
            asked = f"{from_where}/{name}"
            if asked not in self._found:
                self._found[asked] = self._resolve(from_where, name)
            if self._found[asked]:
                found.append(self._found[asked])
        return found

    def _resolve(self, from_where: str, name: str) -> str:
        if name[0] == ".":
            return self.file(posixpath.normpath(f"{from_where}/{name}"))
        return self._of_package(from_where, name) or self._aliased(name) or self._of_member(name)

    def _of_package(self, base: str, name: str) -> str:
        prefix = next((each for each in _PREFIXES if name.startswith(each)), "")
        if not prefix:
            return ""
        tail = name[len(prefix) :].lstrip("/")
        roots = (f"{base}/src", base, f"{base}/app", "src", ".")
        return self._first(f"{root}/{tail}" for root in roots)

    def _aliased(self, name: str) -> str:
        return self._first(
            target + name[len(alias) :]
            for alias, target in self._aliases
            if name == alias or (alias.endswith("/") and name.startswith(alias))
        )

    def _of_member(self, name: str) -> str:
        """Return the file of a package of the workspace, or of one of its exports."""
        parts = name.split("/")
        whole = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
        member = next((each for each in whole if each in self._members), None)
        if member is None:
            return ""
        dir, tail = self._members[member], name[len(member) + 1 :]
        tries = [f"{dir}/src/{tail}", f"{dir}/{tail}"] if tail else []
        data = self.manifests.tables.get(f"{dir}/package.json", {})
        exported = table(data, "exports").get(f"./{tail}" if tail else ".")
        if isinstance(exported, dict):
            exported = next((v for v in table(exported).values() if isinstance(v, str)), None)
        for main in (exported, data.get("main"), data.get("types")) if not tail or exported else ():
            if isinstance(main, str):
                tries.append(f"{dir}/{re.sub(r'^(./)?(dist|build|lib)/', 'src/', main)}")
                tries.append(f"{dir}/{main}")
        tries += [f"{dir}/src/index", f"{dir}/index"] if not tail else []
        return self._first(tries)

    def _first(self, bases: Iterable[str]) -> str:
        found = (self.file(posixpath.normpath(base)) for base in bases)
        return next(filter(None, found), "")

    def file(self, base: str) -> str:
        """Return the file of a path without its suffix, or with that of what it is built into."""
        base = base.removeprefix("./")
        if base in self._known:
            return base
        stem = _BUILT.sub("", base) if base.endswith(("js", "jsx", ".d.ts")) else base
        for each in (stem, f"{stem}/index", f"{stem}/src/index"):
            if each in self._by_stem:
                return self._by_stem[each]
        return ""

    @cached_property
    def _members(self) -> dict[str, str]:
        """The packages of the workspace by name, each with its directory.

        Not one that depends on a package of its own name: then that one is what is imported.
        """
        namesakes = {(each.name, each.path) for each in self.manifests.dependencies}
        return {
            str(data["name"]): directory(path)
            for path, data in self.manifests.tables.items()
            if path.endswith("package.json") and isinstance(data.get("name"), str)
            and (data["name"], path) not in namesakes
        }  # fmt: skip

    @cached_property
    def _aliases(self) -> list[tuple[str, str]]:
        """What ``paths`` of the tsconfig files say: prefix and where it leads."""
        found = (pair for path in self.project.matching(r"tsconfig[\w.-]*\.json")
                 for pair in self._aliases_of(path))  # fmt: skip
        return sorted(found, key=lambda pair: -len(pair[0]))

    def _aliases_of(self, path: str) -> Iterator[tuple[str, str]]:
        text = self.project.text(path)
        at = text.find('"paths"')
        if at < 0 or self.project.is_aside(path):
            return
        base = re.search(r'"baseUrl"\s*:\s*"([^"]*)"', text)
        root = posixpath.normpath(posixpath.join(directory(path), base[1] if base else "."))
        block = text[at : at + 6_000].partition("}")[0]
        for alias, target in re.findall(r'"([^"\n]+)"\s*:\s*\[\s*"([^"\n]+)"', block):
            joined = posixpath.normpath(posixpath.join(root, target.rstrip("*")))
            slash = "/" if target.endswith("/*") else ""
            yield alias.rstrip("*"), joined.removeprefix("./") + slash
