"""Which images the services are started from: one for each package, web and worker alike."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from stoker.sidecar.detection import COMPILED, Build, Detection, Language, Package, Unit
from stoker.sidecar.plan import Client, Image
from stoker.sidecar.planning import begun, stages, variants
from stoker.sidecar.planning.chosen import is_chosen, of_program, started_by
from stoker.sidecar.planning.names import Names, slug
from stoker.sidecar.planning.own_files import own_file

Key = tuple[str, Language, str]
"""Directory, language and, where every program is a binary of its own, the binary."""

VERSIONS: dict[Language, str] = {
    "node": "22", "python": "3.13", "ruby": "3.4", "go": "1.25", "rust": "1.90",
}  # fmt: skip
"""What is taken where the project does not say."""

_BUN = "1"
_ROOTS: dict[Language, str] = {"node": "package.json", "python": "pyproject.toml"}
"""What a workspace is installed by, at its root."""
RUNNERS = frozenset({"tsx", "ts-node", "ts-node-dev", "babel-node", "nodemon", "vite-node"})
"""Packages for development that run TypeScript, or start anew on a change."""
_ACE = (("node", "ace"), ("node", "ace.js"))

_PRISMA = ("ca-certificates", "openssl")
"""What its engine is linked with, and the image of Node goes without."""
_SYSTEM: dict[Language, tuple[str, ...]] = {"ruby": ("libpq5",)}


def images_for(detection: Detection, units: Sequence[Unit]) -> tuple[dict[Key, Image], list[Key]]:
    """Return the images, and for each unit which of them it is started from."""
    images: dict[Key, Image] = {}
    keys: list[Key] = []
    names = Names(())
    for unit in units:
        package = package_of(detection, unit)
        began = begun.is_begun(unit)  # it has an image of its own, whatever else there is
        build = None if began else _build(detection, unit, package)
        if build and not unit.build:
            build = of_program(detection, build, binary(unit))
        apart = _way(build) if build else binary(unit)
        key = (package.dir, package.language, begun.PACKAGE if began else apart)
        keys.append(key)
        if key not in images:
            made = _image(detection, package, binary(unit), names)
            if began:
                made = _begun(detection, unit, made)
            if build:
                made = _built(detection, made, build)
            elif made.existing and not began:
                made = _beside(made) if _is_of_others(detection, made) else made
            if not made.existing and _place(made) in map(_place, images.values()):
                made = msgspec.structs.replace(made, dockerfile=f"Dockerfile.{made.name}")
            images[key] = made
        if build and images[key].existing:
            own = variants.variants(detection, unit, package, build)
            images[key] = msgspec.structs.replace(images[key], variants=own)
        images[key] = _for(detection, unit, images[key])
    return images, keys


def _way(build: Build) -> str:
    """Return what tells one way to build an image from another."""
    return " ".join((f"{build.dockerfile}#{build.target}", *map("=".join, build.args.items())))


def without_modules(images: Iterable[Image]) -> Iterator[str]:
    """Yield what to do where Go cannot build a program: it has no module to be built in."""
    for image in images:
        own = any(posixpath.basename(path) == "go.mod" for path in image.manifests)
        if image.language == "go" and not image.existing and not own:
            place = "" if image.context == "." else f"{image.context}/"
            yield (
                f"{place}go.mod: there is none, and Go builds nothing outside of a module, "
                "whatever Godeps, dep or glide say: go mod init MODULE and go mod tidy make one "
                f"of what is imported; then generate again, as {place}Dockerfile needs it"
            )


def _build(detection: Detection, unit: Unit, package: Package) -> Build | None:
    """Return what the project itself builds a unit from, or else the app that it is a part of."""
    if unit.build:
        return unit.build
    first = unit.evidence[0] if unit.evidence else None
    if (
        first
        and first.note == "Dockerfile"
        and posixpath.dirname(first.path) == ("" if package.dir == "." else package.dir)
    ):
        context = package.workspace or package.dir
        return Build(context, first.path, stages.started_by(detection, unit, first.path))
    if own := own_file(detection, unit, package):
        return Build(package.workspace or package.dir, own)
    web = detection.web
    same = web is not None and web.language == unit.language and web.dir == unit.dir
    if web and web.build and same:
        return stages.with_stage(detection, unit, package, web.build)
    context = package.workspace or package.dir
    usual = posixpath.normpath(posixpath.join(context, "Dockerfile"))
    if not binary(unit) and usual in detection.files.get("dockerfile", ()):
        own = variants.as_the_app(detection, package, Build(context, usual))
        return stages.with_stage(detection, unit, package, own)
    return Build(context, usual) if usual in detection.choices else None


def _built(detection: Detection, image: Image, build: Build) -> Image:
    """Return an image that is built so, from the project's own Dockerfile."""
    stage = f"#{build.target}" if build.target else ""
    below = "" if build.context == "." else f"{build.context}/"
    places = (posixpath.normpath(posixpath.join(image.context, each)) for each in image.manifests)
    return msgspec.structs.replace(
        image,
        context=build.context,
        manifests=tuple(
            _relative(place, build.context) for place in places if place.startswith(below)
        ),
        dockerfile=_relative(build.dockerfile, build.context),
        outside="" if build.dockerfile.startswith(below) else build.dockerfile,
        target=build.target,
        args=build.args,
        pulled=_pulled(detection, build),
        existing=True,
        entry=started_by(detection, build) if image.language in COMPILED else (),
        chosen=is_chosen(detection, build, image.binary),
        starts=f"{build.dockerfile}{stage}" in detection.files.get("starting", ()),
        kept=_kept(detection, build.context),
    )


def _pulled(detection: Detection, build: Build) -> dict[str, str]:
    """Return where the app is the same image, and by which name."""
    app = detection.web.given if detection.web and detection.web.build == build else ()
    return {each.path: each.image for each in app if each.image}


def _beside(image: Image) -> Image:
    """Return an image that is built from a file of its own beside the project's own Dockerfile."""
    place = f"{image.dockerfile}.{image.name}"
    return msgspec.structs.replace(
        image, dockerfile=place, existing=False, starts=False, entry=(), kept=()
    )


def _is_of_others(detection: Detection, image: Image) -> bool:
    """Tell if the project's own Dockerfile builds other programs than the one that is meant."""
    if not image.binary:
        return image.language not in COMPILED
    place = _path(image)
    return place in detection.choices or stages.lacks(detection, place, "", image.binary)


def _begun(detection: Detection, unit: Unit, image: Image) -> Image:
    place = begun.dockerfile(posixpath.relpath(unit.dir, image.context))
    path = posixpath.normpath(posixpath.join(image.context, place))
    existing = path in detection.files.get("dockerfile", ())
    home = posixpath.normpath(posixpath.join(unit.dir, begun.PACKAGE))
    own = (each for each in detection.packages if (each.dir, each.manager) == (home, "pip"))
    return msgspec.structs.replace(
        image,
        dockerfile=place,
        existing=existing,
        additional=tuple(
            _relative(path, image.context)
            for each in own
            for path in each.manifests
            if path.endswith(".txt")
        ),
    )


def _for(detection: Detection, unit: Unit, image: Image) -> Image:
    """Return the image with what one more unit needs of it."""
    return msgspec.structs.replace(
        image,
        dev_packages=image.dev_packages or _runs_source(unit),
        scattered=image.scattered or (image.manager == "pip" and _includes(detection, image)),
    )


def _includes(detection: Detection, image: Image) -> bool:
    """Tell if requirements are in a file that none but another one names, by ``-r``."""
    known = {posixpath.normpath(posixpath.join(image.context, path)) for path in image.manifests}
    listed = {each.path for use in detection.uses for each in use.evidence if each.line}
    below = "" if image.context == "." else f"{image.context}/"
    return any(path.startswith(below) and path.endswith(".txt") for path in listed - known)


def _runs_source(unit: Unit) -> bool:
    """Tell if a unit's source is run as it is written, by what only development asks for.

    So does ``tsx``, and AdonisJS's ``ace`` where it is not the one that was built.
    """
    words = unit.command[1:] if unit.command[:1] == ("npx",) else unit.command
    if unit.language != "node" or not words:
        return False
    return words[0] in RUNNERS or words[:2] in _ACE


def _path(image: Image) -> str:
    return posixpath.normpath(posixpath.join(image.context, image.dockerfile))


def _place(image: Image) -> tuple[str, str]:
    return image.context, image.dockerfile


def package_of(detection: Detection, unit: Unit) -> Package:
    """Return the innermost package that a unit is started in, of its language if there is one."""
    inside = [
        package
        for package in detection.packages
        if package.dir == "." or f"{unit.dir}/".startswith(f"{package.dir}/")
    ]
    own = [package for package in inside if package.language == unit.language] or inside
    if own:
        return max(own, key=lambda package: 0 if package.dir == "." else package.dir.count("/") + 1)
    language = unit.language or "python"
    managers = {"node": "npm", "python": "pip", "ruby": "bundler", "go": "go", "rust": "cargo"}
    return Package(unit.dir, language, managers[language])


def binary(unit: Unit) -> str:
    """Return what has to be built for a unit of Go or Rust, as the build command names it."""
    words = unit.command
    if unit.language == "go":
        if words[:2] == ("go", "run"):
            target = next((word for word in words[2:] if not word.startswith("-")), ".")
            files = [word for word in words if word.endswith(".go")]
            if target.endswith(".go") and (posixpath.basename(target) == "main.go" or files[1:]):
                target = posixpath.dirname(target)  # beside it lies the rest of its package
            return "." if target in (".", "./", "") else f"./{target.removeprefix('./')}"
        source = next(
            (w for w in unit.alternatives if w[:2] == ("go", "run") and len(w) > 2), ("", "", "")
        )
        return source[2]
    if unit.language == "rust":
        if words[:1] == ("cargo",):
            return words[words.index("--bin") + 1] if "--bin" in words[:-1] else ""
        return posixpath.basename(words[0])
    return ""


def _image(detection: Detection, package: Package, program: str, names: Names) -> Image:
    member = bool(package.workspace) and package.workspace != package.dir
    context = package.workspace if member else package.dir
    inside = posixpath.relpath(package.dir, context) if member else "."
    own = posixpath.basename(package.dir) if package.dir != "." else ""
    name = names.take(
        slug(
            posixpath.basename(program).removesuffix(".go")
            if program not in ("", ".")
            else own or package.name.rpartition("/")[2] or "app"
        )
    )
    dockerfile, existing = _dockerfile(detection, package.dir if not member else context)
    written = posixpath.normpath(posixpath.join(context, dockerfile))
    clients = _clients(detection, package, context) if package.language == "node" else ()
    return Image(
        name=name,
        context=context,
        language=package.language,
        manager=package.manager,
        version=_version(detection, package),
        manifests=tuple(_relative(path, context) for path in package.manifests),
        build=package.build,
        scattered=member and not _has_root(package),
        package=package.name if member else "",
        package_dir=inside,
        dockerfile=dockerfile,
        existing=existing,
        entry=detection.programs.get(written, ())
        if existing and package.language in COMPILED
        else (),
        starts=existing and written in detection.files.get("starting", ()),
        kept=_kept(detection, context) if existing else (),
        system_packages=_PRISMA if clients else _SYSTEM.get(package.language, ()),
        # To leave out what is for development would take the client with it, and its program.
        dev_packages=bool(clients),
        clients=clients,
        binary=program,
        vendored=package.vendored,
        uninstalled=bool(package.side_by_side),
    )


def _clients(detection: Detection, package: Package, context: str) -> tuple[Client, ...]:
    """Return what Prisma makes in a package, or anywhere in its workspace."""
    root = package.workspace or package.dir
    return tuple(
        Client(
            dir=posixpath.relpath(each.dir, context),
            files=tuple(_relative(path, context) for path in each.schema_files),
            schema=_relative(each.schema, context),
        )
        for each in detection.packages
        if each.language == "node" and each.schema_files and root in (each.workspace, each.dir)
    )


def _kept(detection: Detection, context: str) -> tuple[str, ...]:
    below = "" if context == "." else f"{context}/"
    found = detection.files.get("copied", ())
    return tuple(_relative(path, context) for path in found if path.startswith(below))


def _has_root(package: Package) -> bool:
    root = posixpath.normpath(posixpath.join(package.workspace, _ROOTS.get(package.language, "")))
    return root in package.manifests


def _version(detection: Detection, package: Package) -> str:
    """Return the tag of the base image; Bun's has a version of its own, whatever Node's is."""
    if package.manager == "bun":
        return _BUN
    roots = (each for each in detection.packages if each.dir == package.workspace)
    asked = (each.version for each in (package, *roots) if each.language == package.language)
    return next(filter(None, asked), VERSIONS[package.language])


def _relative(path: str, context: str) -> str:
    return path if context == "." else path.removeprefix(f"{context}/")


def _dockerfile(detection: Detection, context: str) -> tuple[str, bool]:
    """Return the project's own Dockerfile of a directory, or where a new one goes."""
    wanted = "Dockerfile" if context == "." else f"{context}/Dockerfile"
    return "Dockerfile", wanted in detection.files.get("dockerfile", ())
