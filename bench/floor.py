"""The floor: the same rows as JSON by raw SQL, with Flask and gunicorn, and nothing of Odoo or Gatehouse.

Nobody is asked who they are, nothing is checked, logged or counted. One connection for each thread, in autocommit mode.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import orjson
import psycopg2
import psycopg2.extensions
from flask import Flask, Response, request
from psycopg2.extras import RealDictCursor, RealDictRow, execute_values

app = Flask(__name__)
_local = threading.local()

_PARTNERS = "FROM res_partner p WHERE p.active ORDER BY"
_BY_NAME = f"{_PARTNERS} p.complete_name, p.id DESC LIMIT %s OFFSET %s"
_TEN = "p.id, p.name, p.email, p.phone, p.street, p.city, p.zip, p.ref, p.is_company, p.create_date"


@app.get("/")
def alive() -> Response:
    return _json({})


@app.get("/search/<int:limit>/<int:offset>")
def search(limit: int, offset: int) -> Response:
    return _json(_rows(f"SELECT p.id, p.name, p.email {_BY_NAME}", limit, offset))


@app.get("/counted/<int:limit>")
def counted(limit: int) -> Response:
    (count,) = _rows("SELECT count(*) AS length FROM res_partner WHERE active")
    return _json({**count, "records": _rows(f"SELECT p.id, p.name, p.email {_BY_NAME}", limit, 0)})


@app.get("/related/<int:limit>")
def related(limit: int) -> Response:
    return _json(
        _rows(
            "SELECT p.id, p.name, CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END "
            "AS parent_id FROM res_partner p LEFT JOIN res_partner r ON r.id = p.parent_id "
            "WHERE p.active ORDER BY p.id DESC LIMIT %s",
            limit,
        )
    )


@app.get("/ten/<int:limit>/<int:offset>")
def ten(limit: int, offset: int) -> Response:
    return _json(
        _rows(
            f"SELECT {_TEN}, c.name->>'en_US' AS country_id FROM (SELECT p.* {_BY_NAME}) p "
            "LEFT JOIN res_country c ON c.id = p.country_id ORDER BY p.complete_name, p.id DESC",
            limit,
            offset,
        )
    )


@app.get("/ref/<ref>")
def by_ref(ref: str) -> Response:
    statement = "SELECT p.id, p.name, p.email FROM res_partner p WHERE p.active AND p.ref = %s"
    return _json(_rows(f"{statement} ORDER BY p.complete_name, p.id DESC LIMIT 80", ref))


@app.get("/groups")
@app.get("/groups/<int:first>")
def groups(first: int | None = None) -> Response:
    refs = tuple(f"R{number:05}" for number in range(first, first + 10)) if first else ()
    chosen = " AND p.ref IN %s" if refs else ""
    return _json(
        _rows(
            f'SELECT p.city, count(*) AS "__count" FROM res_partner p WHERE p.active{chosen} GROUP BY 1 ORDER BY 1',
            *([refs] if refs else []),
        )
    )


@app.get("/partner/<int:partner_id>")
def read(partner_id: int) -> Response:
    (row,) = _rows(
        "SELECT p.id, p.name, p.email, p.phone, p.street, p.city FROM res_partner p WHERE id = %s", partner_id
    )
    return _json(row)


@app.get("/unchanged/<int:partner_id>")
def unchanged(partner_id: int) -> Response:
    _rows("SELECT write_date FROM res_partner WHERE id = %s", partner_id)
    return Response(status=304)


@app.post("/partner")
def create() -> Response:
    (row,) = _insert([request.get_json()])
    return _json(row)


@app.post("/partners")
def create_many() -> Response:
    return _json([row["id"] for row in _insert(request.get_json())])


@app.patch("/partner/<int:partner_id>")
def update(partner_id: int) -> Response:
    (row,) = _rows(
        "UPDATE res_partner SET phone = %s, write_date = now() WHERE id = %s RETURNING id, name, phone",
        request.get_json()["phone"],
        partner_id,
    )
    return _json(row)


@app.post("/nothing")
def nothing() -> Response:
    return _json({"value": None, "flag": False, "only_by_name": "x", "ids": []})


def _connection() -> psycopg2.extensions.connection:
    connection: psycopg2.extensions.connection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = psycopg2.connect(os.environ["FLOOR_DSN"])
        connection.autocommit = True
    return connection


def _rows(statement: str, *arguments: Any) -> list[RealDictRow]:
    with _connection().cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def _insert(partners: list[dict[str, Any]]) -> list[RealDictRow]:
    rows = [(partner["name"], partner["name"], partner["email"]) for partner in partners]
    with _connection().cursor(cursor_factory=RealDictCursor) as cursor:
        made: list[RealDictRow] = execute_values(
            cursor,
            "INSERT INTO res_partner (name, complete_name, email, active, type) VALUES %s RETURNING id, name, email",
            rows,
            template="(%s, %s, %s, true, 'contact')",
            page_size=1000,
            fetch=True,
        )
        return made


def _json(document: object) -> Response:
    return Response(
        orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_DATETIME, default=str), mimetype="application/json"
    )
