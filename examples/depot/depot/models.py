"""The tables."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import DateTime, Enum, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Status(StrEnum):
    """Where an upload stands."""

    PENDING = "pending"
    """Announced; nobody has looked at it yet."""
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


def now() -> datetime:
    """Return the time as it is stored."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """The base of all tables."""


class Organisation(Base):
    """A tenant."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Upload(Base):
    """A picture that an organisation has announced, and what became of it."""

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("organisation_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id))
    key: Mapped[str]
    """Its name in the organisation's part of the store."""
    size: Mapped[int]
    sha256: Mapped[str]
    content_type: Mapped[str]
    """These three are declared by whoever uploads it, and checked by the worker."""

    status: Mapped[Status] = mapped_column(
        Enum(
            Status, native_enum=False, values_callable=lambda kinds: [kind.value for kind in kinds]
        ),
        default=Status.PENDING,
        index=True,
    )
    progress: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None] = mapped_column(Text)
    """Why it failed, or what the last attempt found."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=now, onupdate=now, index=True
    )

    thumbnails: Mapped[list[Thumbnail]] = relationship(
        cascade="all, delete-orphan", order_by="Thumbnail.size"
    )

    @property
    def reason(self) -> str | None:
        """Why it failed, in one word: the name of the error."""
        return self.error.partition(":")[0] if self.error else None


class Thumbnail(Base):
    """A smaller copy of an upload, in the store under ``key``."""

    __tablename__ = "thumbnails"

    upload_id: Mapped[int] = mapped_column(ForeignKey(Upload.id), primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True)
    """The longest side it may have."""
    key: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
