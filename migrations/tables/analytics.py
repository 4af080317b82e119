"""The tables of this package, as migrations 0004 to 0008 make them; they are written and read in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from migrations.tables.catalog import Base


class Audit(Base):
    """A change that a call made, committed with it."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_model_record_ids", "record_ids", postgresql_using="gin"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    request_id: Mapped[str] = mapped_column(Text, index=True)
    api_id: Mapped[int] = mapped_column(Integer)
    api: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    record_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    caller: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(Text)
    uid: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(Text)
    call_id: Mapped[str | None] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    approved_by: Mapped[int | None] = mapped_column(Integer)


class RequestLog(Base):
    """A call. The table has a partition per day and no key: nothing refers to a row.

    Bodies and queries are there for APIs that log them, masked and cut; the notes say what is missing of them.
    """

    __tablename__ = "request_log"
    __table_args__ = (
        Index("ix_request_log_at", "at"),
        Index("ix_request_log_api_id_at", "api_id", "at"),
        Index("ix_request_log_request_id", "request_id"),
    )
    __mapper_args__ = {"primary_key": ["request_id", "at"]}  # noqa: RUF012  as SQLAlchemy wants it

    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    request_id: Mapped[str] = mapped_column(Text)
    api_id: Mapped[int] = mapped_column(Integer)
    endpoint: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    caller: Mapped[str | None] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(Text)
    uid: Mapped[int | None] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(Text)
    milliseconds: Mapped[float] = mapped_column(Float)
    request_body: Mapped[str | None] = mapped_column(Text)
    request_note: Mapped[str | None] = mapped_column(Text)
    response_body: Mapped[str | None] = mapped_column(Text)
    response_note: Mapped[str | None] = mapped_column(Text)
    call_id: Mapped[str | None] = mapped_column(Text)
    query: Mapped[str | None] = mapped_column(Text)
    query_note: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    records: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    dry_run: Mapped[bool] = mapped_column(Boolean, server_default=false())
    tool: Mapped[str | None] = mapped_column(Text)


class _Rollup:
    """Calls of one minute, hour or day that are alike in one dimension (see ``rollup``)."""

    dimension: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    api_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    failed: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    calls: Mapped[int] = mapped_column(BigInteger)
    milliseconds: Mapped[float] = mapped_column(Float)


class RollupMinute(_Rollup, Base):
    """Calls by the minute; kept for two days."""

    __tablename__ = "rollup_minute"


class RollupHour(_Rollup, Base):
    """Calls by the hour; kept for two months."""

    __tablename__ = "rollup_hour"


class RollupDay(_Rollup, Base):
    """Calls by the day; kept."""

    __tablename__ = "rollup_day"


class History(Base):
    """A change of a definition, client app or setting, noted by a trigger."""

    __tablename__ = "history"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    actor: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
