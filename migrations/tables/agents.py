"""The tables of AI agents, as migration 0016 makes them; they are written and read in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Integer, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from migrations.tables.catalog import SCHEMA, Base


class Approval(Base):
    """An agent's write that was shown, and waits to be approved."""

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("way IN ('form', 'argument', 'person')", name="way"),
        CheckConstraint("status IN ('pending', 'approved', 'refused', 'used')", name="status"),
    )

    lookup: Mapped[str] = mapped_column(Text, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    caller: Mapped[str] = mapped_column(Text)
    tool: Mapped[str] = mapped_column(Text)
    api_id: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.api.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    arguments: Mapped[bytes] = mapped_column(LargeBinary)
    condition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    way: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    uid: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    decided_by: Mapped[int | None] = mapped_column(Integer)


class Stranger(Base):
    """A client that describes itself, and calls as the client app that has its host."""

    __tablename__ = "stranger"

    url: Mapped[str] = mapped_column(Text, primary_key=True)
    client_id: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    fetched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
