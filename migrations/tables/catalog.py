"""Gatehouse's own tables, in the PostgreSQL schema ``gatehouse`` of the Odoo database.

For migrations and tests: the server itself works in SQL, and does not load SQLAlchemy's ORM.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    false,
    func,
    true,
)
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


class CredentialVersion(Base):
    """Numbers of which triggers raise one when a token or a client app is taken away or changed (migration 0009)."""

    __tablename__ = "credential_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class Compatibility(Base):
    """One row: the oldest revision of code that may work on the schema (see ``schema_version``)."""

    __tablename__ = "compatibility"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    oldest_code: Mapped[str] = mapped_column(Text)


class Idempotency(Base):
    """The answer of a call that carried an Idempotency-Key; ``request`` is a hash of what was asked.

    ``api_id`` is 0 for a batch; those of an API that is gone are forgotten with their time.
    """

    __tablename__ = "idempotency"

    api_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    caller: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


class Claim(Base):
    """A value of a key that a record is being made by, or was a short time ago (see ``operations.claims``)."""

    __tablename__ = "claim"

    model: Mapped[str] = mapped_column(Text, primary_key=True)
    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    claimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


def _client_key(**options: Any) -> Mapped[int]:
    return mapped_column(ForeignKey(f"{SCHEMA}.client.id", ondelete="CASCADE"), **options)


class Client(Base):
    """A client app. ``public_id`` is its OAuth2 client id; ``uid`` the Odoo user it acts as where an API names none."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())
    lifetime: Mapped[int] = mapped_column(Integer, server_default="1800")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    uid: Mapped[int | None] = mapped_column(Integer)
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    resource_optional: Mapped[bool] = mapped_column(Boolean, server_default=false())
    metadata_hosts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ClientSecret(Base):
    """A client app's secret: of it, only the part for lookup and a keyed hash."""

    __tablename__ = "client_secret"

    lookup: Mapped[str] = mapped_column(Text, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    client_id: Mapped[int] = _client_key(index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Token(Base):
    """An access or refresh token.

    ``family`` ties together what one authorization has led to; ``replaced`` marks a spent refresh token;
    ``last_used_at`` is right to a minute.
    """

    __tablename__ = "token"
    __table_args__ = (CheckConstraint("kind IN ('access', 'refresh')", name="kind"),)

    lookup: Mapped[str] = mapped_column(Text, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text)
    client_id: Mapped[int] = _client_key(index=True)
    uid: Mapped[int | None] = mapped_column(Integer, index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    family: Mapped[str | None] = mapped_column(Text, index=True)
    replaced: Mapped[bool] = mapped_column(Boolean, server_default=false())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resource: Mapped[str | None] = mapped_column(Text)
    client_url: Mapped[str] = mapped_column(Text, server_default="")


class AuthorizationCode(Base):
    """A code that was given to a redirect URI and waits to be exchanged, once (RFC 6749 4.1.2)."""

    __tablename__ = "authorization_code"

    lookup: Mapped[str] = mapped_column(Text, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    client_id: Mapped[int] = _client_key(index=True)
    uid: Mapped[int] = mapped_column(Integer)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    redirect_uri: Mapped[str] = mapped_column(Text)
    redirect_uri_given: Mapped[bool] = mapped_column(Boolean)
    challenge: Mapped[str] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    used: Mapped[bool] = mapped_column(Boolean, server_default=false())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    resource: Mapped[str | None] = mapped_column(Text)
    client_url: Mapped[str] = mapped_column(Text, server_default="")


class Consent(Base):
    """A person's consent to a client app."""

    __tablename__ = "consent"

    client_id: Mapped[int] = _client_key(primary_key=True)
    uid: Mapped[int] = mapped_column(Integer, primary_key=True)
    client_url: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    resource: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
