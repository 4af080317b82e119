"""Lets a configured database grow old, in a process of its own: ``python -m bench.grown``.

It gets 1,000 published APIs, 100,000 live tokens and two million rows of the request log.
"""

from __future__ import annotations

import os

from app.database import Cursor, Database
from bench import analytics
from bench.configure import API, CLIENT

APIS = 1000
TOKENS = 100_000


def main() -> None:
    """Fill the database of the connection string GROWN_DSN."""
    database = Database({"dsn": os.environ["GROWN_DSN"]})
    with database.transaction() as cr:
        _apis(cr)
        _tokens(cr)
    analytics.fill(database)


def _apis(cr: Cursor) -> None:
    """Publish copies of the API of partners, until there are so many."""
    cr.execute(
        "INSERT INTO gatehouse.api (document) SELECT document || jsonb_build_object("
        "'name', document->>'name' || ' ' || n, 'route', '/api/grown/' || n || '/partner') "
        "FROM gatehouse.api, generate_series(1, %(apis)s - (SELECT count(*) FROM gatehouse.api)) n "
        "WHERE name = %(name)s",
        {"apis": APIS, "name": API},
    )


def _tokens(cr: Cursor) -> None:
    """Make tokens that nobody knows; they live as long as any."""
    cr.execute(
        "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
        "SELECT left(md5(n::text), 16), sha256(n::text::bytea), 'access', id, scopes, now() + interval '1 day' "
        "FROM gatehouse.client, generate_series(1, %(tokens)s) n WHERE name = %(name)s",
        {"tokens": TOKENS, "name": CLIENT},
    )


if __name__ == "__main__":
    main()
