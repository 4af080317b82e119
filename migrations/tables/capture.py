"""The tables of the capture, as migration 0014 makes them; they are written and read in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from migrations.tables.catalog import Base


class Mark(Base):
    """A moment before which no transaction from a number on has written anything."""

    __tablename__ = "mark"

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    ahead: Mapped[int] = mapped_column(BigInteger)


class Captured(Base):
    """A table whose changes are noted, and the columns of it that matter, each since a transaction."""

    __tablename__ = "captured"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    relation: Mapped[int | None] = mapped_column(BigInteger)
    identity: Mapped[str | None] = mapped_column(Text)
    key: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kept: Mapped[dict[str, Any]] = mapped_column(JSONB)
    watched: Mapped[dict[str, Any]] = mapped_column(JSONB)
    since: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
