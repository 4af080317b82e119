"""Gatehouse's own tables, in the PostgreSQL schema ``gatehouse`` of the Odoo database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Computed, DateTime, ForeignKey, Integer, LargeBinary, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "gatehouse"


class Base(DeclarativeBase):
    """Base of all tables; names of constraints are settled so that migrations can name them."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        },
    )


class Api(Base):
    """One API. ``document`` is the definition whole; the other columns follow from it, for lookups and rules.

    ``revision`` counts the changes of this row.
    """

    __tablename__ = "api"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    changed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
    name: Mapped[str] = mapped_column(Text, Computed("document->>'name'", persisted=True), unique=True)
    route: Mapped[str] = mapped_column(Text, Computed("document->>'route'", persisted=True), unique=True)
    published: Mapped[bool] = mapped_column(Boolean, Computed("(document->>'published')::boolean", persisted=True))


class Setting(Base):
    """System-wide settings, and secrets made once for this database."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)


class CatalogVersion(Base):
    """One row, whose number a trigger raises with every change of what workers remember (see ``watch``)."""

    __tablename__ = "catalog_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class Idempotency(Base):
    """The answer of a call that carried an Idempotency-Key; ``request`` is a hash of what was asked."""

    __tablename__ = "idempotency"

    api_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.api.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    caller: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
