"""What the demo uploads, and what has to become of it: decided before a single picture is drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from depot.models import Status
from depot.rejections import (
    ChecksumDiffers,
    Damaged,
    Missing,
    NotAPicture,
    SizeDiffers,
    TooLarge,
    TypeDiffers,
)
from show.drawing import KINDS, SIMPLE

ORGANISATIONS = {"harbour-museum": 6, "alpine-club": 3, "city-archive": 2, "nora-studio": 1}
"""Their shares of the uploads: tenants are not of one size."""

SIZES = [(1, 1), (3, 500), (96, 96), (320, 200), (640, 480), (640, 480), (800, 600), (2000, 120)]
LARGE = [(1600, 1200), (2400, 1600), (4000, 3000)]


class Fate(Enum):
    """What is the matter with an upload."""

    FINE = "fine"
    LATE = "late"
    """Its file arrives only after the worker has looked for it once."""
    ORPHAN = "orphan"
    """A file that nobody has announced: it has no row."""
    NEVER_SENT = "never sent"
    WRONG_SIZE = "wrong size"
    WRONG_CHECKSUM = "wrong checksum"
    WRONG_TYPE = "wrong type"
    NO_PICTURE = "no picture"
    TRUNCATED = "truncated"
    BOMB = "bomb"


REASONS: dict[Fate, type[Exception]] = {
    Fate.NEVER_SENT: Missing,
    Fate.WRONG_SIZE: SizeDiffers,
    Fate.WRONG_CHECKSUM: ChecksumDiffers,
    Fate.WRONG_TYPE: TypeDiffers,
    Fate.NO_PICTURE: NotAPicture,
    Fate.TRUNCATED: Damaged,
    Fate.BOMB: TooLarge,
}
"""Those that have to fail, and why."""


@dataclass(frozen=True)
class Sample:
    """One upload of the demo."""

    number: int
    organisation_id: str
    kind: str
    """How it is drawn: a key of ``KINDS``."""
    width: int
    height: int
    fate: Fate

    @property
    def key(self) -> str:
        """Its name in the store."""
        return f"originals/{self.number:04}-{self.kind}.{KINDS[self.kind].extension}"

    @property
    def status(self) -> Status:
        """What its row has to say in the end."""
        return Status.FAILED if self.fate in REASONS else Status.COMPLETED

    @property
    def reason(self) -> str | None:
        """Why it has to fail, as the row says it."""
        return REASONS[self.fate].__name__ if self.fate in REASONS else None


def plan(uploads: int, seed: int) -> list[Sample]:
    """Return the samples, always the same for the same arguments."""
    rng = random.Random(seed)
    owners = list(ORGANISATIONS)
    shares = list(ORGANISATIONS.values())
    kinds = list(KINDS)
    fates = _fates(uploads, rng)
    samples: list[Sample] = []
    for number, fate in enumerate(fates):
        kind = rng.choice(SIMPLE) if fate is Fate.TRUNCATED else kinds[number % len(kinds)]
        owner = owners[number] if number < len(owners) else rng.choices(owners, shares)[0]
        large = KINDS[kind].photo and fate is Fate.FINE and rng.random() < 0.2
        width, height = (
            (640, 480) if fate is Fate.TRUNCATED else rng.choice(LARGE if large else SIZES)
        )
        samples.append(Sample(number, owner, kind, width, height, fate))
    return samples


def _fates(uploads: int, rng: random.Random) -> list[Fate]:
    """Return one fate for each upload: of every trouble one in a hundred, and at least one."""
    troubles = [fate for fate in Fate if fate is not Fate.FINE] * max(1, uploads // 100)
    if uploads < len(troubles):
        raise ValueError(f"{uploads} uploads are too few: at least {len(troubles)}")
    fates = troubles + [Fate.FINE] * (uploads - len(troubles))
    rng.shuffle(fates)
    return fates


def announced(samples: list[Sample]) -> Iterator[Sample]:
    """Return those that have a row."""
    return (sample for sample in samples if sample.fate is not Fate.ORPHAN)


def orphans(samples: list[Sample]) -> list[str]:
    """Return what the sweep has to report."""
    return sorted(
        f"{sample.organisation_id}/{sample.key}" for sample in samples if sample.fate is Fate.ORPHAN
    )
