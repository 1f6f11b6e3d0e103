"""What workers need beside their broker: the app's database, and a Redis that has no jobs.

Their source reads its address, or their framework does. PostgreSQL it is where a compose file has
one, or a driver of it is asked for; of another database only the operator knows the address.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from stoker.sidecar.address_parts import part_of
from stoker.sidecar.detect import led_to, prisma
from stoker.sidecar.detect.addresses import Address, of_kind
from stoker.sidecar.detect.broker_services import is_mysql, kind_of, own_service
from stoker.sidecar.detect.brokers import called, leading, rails_databases, spoken_of, variables
from stoker.sidecar.detect.environment import sources
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source.ruby_databases import first_database
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind, BrokerUse, Evidence, Unit
from stoker.sidecar.project import Project

_DRIVERS = (
    "psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "aiopg", "pg8000",
    "psycopg[binary]", "psycopg[pool]", "psycopg[binary,pool]",
    "pg", "postgres", "pg-promise", "@prisma/adapter-pg", "@neondatabase/serverless",
    "github.com/lib/pq", "github.com/jackc/pgx", "github.com/jackc/pgx/v4",
    "github.com/jackc/pgx/v5", "gorm.io/driver/postgres", "tokio-postgres",
)  # fmt: skip
_PSYCOPG2 = ("psycopg2", "psycopg2-binary")
_FINDS_IT = ("url", "host", "address")
_OTHERS = re.compile(r"^(?!.*TEST)(?:.*_)?(MONGO|MYSQL|MARIADB|MSSQL)(?:(?<=MONGO)DB)?(?:_|UR[LI])")
_BY_NAME = re.compile(r"POSTGRES|^PG")
_SERVERS: tuple[BrokerKind, ...] = ("redis", "rabbitmq", "nats")
"""Of these only a Redis is put beside workers: what is kept in it need not be there before."""


def beside(
    project: Project, manifests: Manifests, units: Sequence[Unit], uses: Sequence[BrokerUse],
    services: Sequence[Service], read: Sequence[str], written: Mapping[str, Address],
) -> tuple[BrokerUse, ...]:  # fmt: skip
    """Return what the workers' source reads the address of, and is none of their brokers."""
    if not units:
        return ()
    kinds: set[BrokerKind] = {use.kind for use in uses}
    finder = _Finder(project, manifests, units, services, read, written)
    found: list[BrokerUse] = []
    if not kinds & {"postgres", "database"}:
        found += finder.database()
    return (*found, *finder.others(), *finder.servers(kinds))


class _Finder:
    def __init__(
        self, project: Project, manifests: Manifests, units: Sequence[Unit],
        services: Sequence[Service], read: Sequence[str], written: Mapping[str, Address],
    ) -> None:  # fmt: skip
        self.project, self.manifests, self.services = project, manifests, services
        self.units, self.read, self.written = units, read, written

    def database(self) -> Iterator[BrokerUse]:
        """Yield the app's database."""
        rails = self.manifests.has("rails", language="ruby")
        if rails and any(unit.language == "ruby" for unit in self.units):
            if driver := self.manifests.has("pg", language="ruby"):
                about = self._about("database").items()  # one beside that of DATABASE_URL
                urls = {name: part for name, part in about if part == "url"}
                others = rails_databases(self.project, self.manifests, "database")
                use = self._use("database", leading(others) | urls, driver.evidence)
                yield msgspec.structs.replace(
                    use,
                    databases=called(others),
                    database=first_database(self.project, self.manifests),
                )
            return
        prisma, postgres = self._of_prisma()
        names = prisma or self._about("postgres")
        seen = self._found(names)
        if seen is None:
            return
        if postgres if prisma else self._is_postgres(names):
            yield self._use("postgres", names, seen)
        elif "sqlite" not in self._written_kinds(names):  # of that, there is a file by default
            yield self._other(names, seen)

    def others(self) -> Iterator[BrokerUse]:
        """Yield the databases of kinds that no container is written for."""
        kinds: dict[str, dict[str, str]] = {}
        for name in self.read:
            found, part = _OTHERS.search(name), part_of(name)
            if found and part and self._place(name):
                kinds.setdefault(found[1], {})[name] = part
        for names in kinds.values():
            if seen := self._found(names):
                yield self._other(names, seen)

    def servers(self, kinds: Collection[BrokerKind]) -> Iterator[BrokerUse]:
        """Yield a Redis that has results, or is a cache, and what else a compose file has."""
        for kind in _SERVERS:
            there = any(kind_of(service) == kind for service in self.services)
            if kind in kinds or not (there or kind == "redis"):
                continue
            names = self._about(kind)
            if seen := self._found(names):
                yield self._use(kind, names, seen)

    def _about(self, kind: BrokerKind) -> dict[str, str]:
        """Return the variables of the workers' packages that can only be about such a server."""
        found = variables(kind, self.read, self.services, self.written, by_itself=True)
        named = spoken_of(kind) or ""
        return {
            name: part
            for name, part in found.items()
            if (re.search(named, name) or self._leads_to(name, kind)) and self._place(name)
        }

    def _found(self, names: Mapping[str, str]) -> Evidence | None:
        """Return where the first of some variables is that say where a server is."""
        finding = [name for name, part in names.items() if part in _FINDS_IT]
        return self._place(finding[0]) if finding else None

    def _use(self, kind: BrokerKind, names: Mapping[str, str], seen: Evidence) -> BrokerUse:
        return BrokerUse(
            kind,
            variables=dict(names),
            written=of_kind(kind, names, self.written),
            usual=self._usual() if kind == "postgres" else "",
            readers=self._readers(names),
            evidence=(seen,),
            **own_service(kind, self.services, self.manifests),
        )

    def _other(self, names: Mapping[str, str], seen: Evidence) -> BrokerUse:
        finding = [name for name, part in names.items() if part in _FINDS_IT]
        found = led_to.target(finding, self.services)
        return BrokerUse(
            "database", variables=dict(names), engine="other", evidence=(seen,),
            service=found.name if found else "", files=(found.path,) if found else (),
        )  # fmt: skip

    def _readers(self, names: Mapping[str, str]) -> tuple[str, ...]:
        """Return where the workers are that read it, or are given it; none where all do."""
        homes = set(self._homes.values())
        if len(homes) == 1:
            return ()
        told = {
            unit.dir
            for unit in self.units
            for each in unit.given
            if names.keys() & each.environment
        }
        finding = [name for name, part in names.items() if part in _FINDS_IT]
        places = [self.written[name].path for name in finding if name in self.written]
        places += [path for path, _ in self._speaking(finding)] if finding else []
        reading = {home for home in homes if any(_is_in(path, home) for path in places)}
        found = tuple(dir for dir, home in self._homes.items() if home in reading or dir in told)
        return found if len(found) < len(self._homes) else ()

    def _usual(self) -> str:
        """Return what an address has in it for the driver that is there.

        SQLAlchemy takes psycopg2 for one that names none; Go's pq wants the server to encrypt.
        """
        has = self.manifests.has
        if has("sqlalchemy", "sqlmodel", language="python") and not has(*_PSYCOPG2):
            name = next((name for name in ("psycopg", "asyncpg") if has(name)), "")
            return f"postgresql+{name}://" if name else ""
        return "postgres://?sslmode=disable" if has("github.com/lib/pq") else ""

    def _is_postgres(self, names: Mapping[str, str]) -> bool:
        kinds = self._written_kinds(names)
        if "postgres" in kinds or "database" in kinds:
            return "postgres" in kinds
        if any(kind_of(service) == "postgres" for service in self.services):
            return True
        known = any(unit.framework for unit in self.units)  # else only what the project has
        other = any(map(is_mysql, self.services))
        named = any(map(_BY_NAME.search, names)) or self.manifests.has(*_DRIVERS) is not None
        return known and not other and named

    def _written_kinds(self, names: Mapping[str, str]) -> set[BrokerKind]:
        return {self.written[name].kind for name in names if name in self.written}

    def _leads_to(self, name: str, kind: BrokerKind) -> bool:
        return name in self.written and self.written[name].kind == kind

    def _of_prisma(self) -> tuple[dict[str, str], bool]:
        """Return the variables of a schema of Prisma's, and whether it is for PostgreSQL."""
        for each in prisma.databases(self.project):
            if self._is_near(each.path):
                return each.variables, each.is_postgres
        return {}, False

    def _place(self, name: str) -> Evidence | None:
        """Return where the workers' packages speak of a variable."""
        if (address := self.written.get(name)) and self._is_near(address.path):
            return self._seen(address.path, address.line)
        found = next((each for each in self._speaking([name]) if self._is_near(each[0])), None)
        return self._seen(*found) if found else None

    def _speaking(self, names: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Yield the files that speak of some variables; settings write them small."""
        every = [each for name in names for each in (name, name.lower())]
        return self.project.speaking(self._sources(), every)

    def _seen(self, path: str, line: int) -> Evidence:
        return Evidence(path, line, self.project.line(path, line), "reads its address")

    def _sources(self) -> Iterator[str]:
        yield from sources(self.project)
        yield from self.project.suffixed("prisma")

    def _is_near(self, path: str) -> bool:
        return any(_is_in(path, home) for home in self._homes.values())

    @cached_property
    def _homes(self) -> dict[str, str]:
        """The workers' directories, each with the one that its image is built from."""
        return {dir: self._home(dir) for dir in dict.fromkeys(unit.dir for unit in self.units)}

    def _home(self, dir: str) -> str:
        package = self.manifests.package_of(dir)
        return (package.workspace or package.dir) if package else posixpath.normpath(dir)


def _is_in(path: str, home: str) -> bool:
    return home == "." or path.startswith(f"{home}/")
