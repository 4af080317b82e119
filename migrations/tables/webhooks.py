"""The tables of webhooks, as migration 0015 makes them; they are written and read in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from migrations.tables.catalog import SCHEMA, Base


class Webhook(Base):
    """An address that a client app has changes sent to."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    client_id: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"), index=True)
    api_id: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.api.id", ondelete="CASCADE"), index=True)
    model: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    fields: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    domain: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    thin: Mapped[bool] = mapped_column(Boolean, server_default=false())
    secret: Mapped[str] = mapped_column(Text)
    old_secret: Mapped[str | None] = mapped_column(Text)
    old_secret_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())
    reason: Mapped[str] = mapped_column(Text, server_default="")
    off_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    token: Mapped[str | None] = mapped_column(Text)
    tables: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    held_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    run: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Delivery(Base):
    """An event that a webhook is to be told of, or was."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'failed', 'superseded')", name="ck_delivery_status"),
        Index("ix_delivery_webhook_id_next_at", "webhook_id", "next_at", postgresql_where=text("status = 'pending'")),
        Index("ix_delivery_webhook_id_seq", "webhook_id", "seq"),
        Index("ix_delivery_webhook_id_status_seq", "webhook_id", "status", "seq"),
        Index("ix_delivery_webhook_id_record_id_seq", "webhook_id", "record_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    webhook_id: Mapped[str] = mapped_column(Text, ForeignKey(f"{SCHEMA}.webhook.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(Text)
    record_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    first_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    milliseconds: Mapped[int | None] = mapped_column(Integer)
    answer_status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(Text, server_default="")
    error: Mapped[str] = mapped_column(Text, server_default="")
