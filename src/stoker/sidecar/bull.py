"""The packages of Node that bring BullMQ or Bull: its own, and what fits it to Nest or AdonisJS."""

from __future__ import annotations

import msgspec


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the two is installed as."""

    own: tuple[str, ...]
    """They export the class that works, or the queue that has it done."""
    nest: tuple[str, ...]
    adonis: dict[str, str]
    """Each with the command of ``ace`` that works, as its README says."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return all of them."""
        return (*self.own, *self.nest, *self.adonis)


PACKAGES = {
    "bullmq": Packages(
        own=("bullmq", "bullmq-pro", "@taskforcesh/bullmq-pro", "groupmq"),
        nest=("@nestjs/bullmq", "@taskforcesh/nestjs-bullmq-pro"),
        adonis={
            "@rlanz/bull-queue": "queue:listen",
            "@acidiney/bull-queue": "queue:listen",
            "@nemoventures/adonis-jobs": "queue:work",
        },
    ),
    "bull": Packages(
        own=("bull",),
        nest=("@nestjs/bull", "nest-bull"),
        adonis={"@rocketseat/adonis-bull": "bull:listen", "@ksgl/adonis-bull": "bull:listen"},
    ),
}
"""By the framework that each is."""
