"""Lets a configured database grow old, in a process of its own: ``python -m bench.grown``.

It gets 1,000 published APIs, 100,000 live tokens and two million rows of the request log.
"""

from __future__ import annotations

import os

from sqlalchemy import Connection, text

from app.catalog.database import make_engine
from bench import analytics
from bench.configure import API, CLIENT

APIS = 1000
TOKENS = 100_000


def main() -> None:
    """Fill the database of the connection string GROWN_DSN."""
    engine = make_engine({"dsn": os.environ["GROWN_DSN"]})
    with engine.begin() as connection:
        _apis(connection)
        _tokens(connection)
    analytics.fill(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _apis(connection: Connection) -> None:
    """Publish copies of the API of partners, until there are so many."""
    connection.execute(
        text(
            "INSERT INTO gatehouse.api (document) SELECT document || jsonb_build_object("
            "'name', document->>'name' || ' ' || n, 'route', '/api/grown/' || n || '/partner') "
            "FROM gatehouse.api, generate_series(1, :apis - (SELECT count(*) FROM gatehouse.api)) n WHERE name = :name"
        ),
        {"apis": APIS, "name": API},
    )


def _tokens(connection: Connection) -> None:
    """Make tokens that nobody knows; they live as long as any."""
    connection.execute(
        text(
            "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
            "SELECT left(md5(n::text), 16), sha256(n::text::bytea), 'access', id, scopes, now() + interval '1 day' "
            "FROM gatehouse.client, generate_series(1, :tokens) n WHERE name = :name"
        ),
        {"tokens": TOKENS, "name": CLIENT},
    )


if __name__ == "__main__":
    main()
