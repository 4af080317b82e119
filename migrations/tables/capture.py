"""The table of the tables whose changes are noted, as migration 0014 makes it; it is written and read in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from migrations.tables.catalog import Base


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
    asked: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
