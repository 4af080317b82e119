"""What Schemathesis can't know from the document: ids of records that exist, values of our own formats, and rules
that no schema can express. It loads this module by the variable SCHEMATHESIS_HOOKS.
"""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

_FORMATS: dict[str, list[str]] = json.loads(os.environ["GATEHOUSE_FORMATS"])

for _format, _values in _FORMATS.items():
    schemathesis.openapi.format(_format, st.sampled_from(_values))


@schemathesis.serializer("application/x-ndjson", "text/csv")
def _lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Bodies of lines are text."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


_calls = itertools.count()


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out requests that are only right or wrong beyond what a schema can say."""
    if case.method.upper() == "QUERY":
        return False  # it is served beside GET, and OpenAPI 3.1 has no place to say so
    query = case.query if isinstance(case.query, dict) else {}
    in_query = _is_negative(case, ParameterLocation.QUERY)
    if (in_query or _is_negative(case, ParameterLocation.BODY)) and str(query.get("atomic")).lower() == "false":
        return False  # what is wrong in an item alone is an answer inside a 200
    if case.path.endswith("/import") and _is_negative(case, ParameterLocation.BODY):
        return False  # what is wrong in a line is too
    if in_query and any(value in (None, "", "null") for value in query.values()):
        return False  # in a query string null can't be told from an empty list
    by_cursor = query.get("paging") == "cursor" or bool(query.get("cursor"))
    if by_cursor and ("offset" in query or str(query.get("limit")) == "0" or "name" in str(query.get("order"))):
        return False  # no schema of a parameter says what goes together; and the names of tags are translated
    if case.path.endswith("/aggregate") and not query.get("group") and (query.get("order") or query.get("having")):
        return False  # this too is a rule of several parameters
    if case.method.upper() == "POST" and not _names_its_key(case.body, query.get("on_conflict"), case.headers):
        return False
    if isinstance(case.body, list) and case.headers.get("If-Match", "*") != "*":
        return False  # a tag is one record's
    if {"If-Match", "If-None-Match"} <= {name.title() for name in case.headers}:
        return False  # of which one at most means something
    if _is_negative(case, ParameterLocation.HEADER) and "x-schemathesis-unknown-property" in case.headers:
        return False  # HTTP lets clients send any header
    if _is_negative(case, ParameterLocation.BODY) and _has_another_no_value(case.body):
        return False
    lists = (case.body, *(query.get(name) for name in ("ids", "group", "aggregates")))
    return not any(map(_names_one_twice, lists))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Work in the user's company: calls that follow links would take the id of any record for it.

    And in a time zone that exists: the document names none, as no generator has a use for six hundred. And come from
    another address each time, or wrong credentials would soon be refused with 429.
    """
    if "X-Company-Id" in case.headers and not _is_negative(case, ParameterLocation.HEADER):
        plain = case.path.startswith(("/api/public", "/api/company/"))
        case.headers["X-Company-Id"] = "1" if plain else _FORMATS["res.company-id"][0]
    if "X-Timezone" in case.headers:
        case.headers["X-Timezone"] = "Europe/Berlin"
    number = next(_calls)
    case.headers["X-Forwarded-For"] = f"198.18.{number // 250 % 250}.{number % 250 + 1}"


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Take QUERY out of ``Allow``: OpenAPI 3.1 has no place to document it."""
    for name in [name for name in response.headers if name.lower() == "allow"]:
        methods = ", ".join(response.headers[name]).split(", ")
        response.headers[name] = [", ".join(method for method in methods if method != "QUERY")]


def _is_negative(case: schemathesis.Case, place: ParameterLocation) -> bool:
    generated = case.meta.components.get(place) if case.meta is not None else None
    return generated is not None and generated.mode == schemathesis.GenerationMode.NEGATIVE


def _has_another_no_value(body: object) -> bool:
    """True if a body says "no value" as Odoo's own clients do: that is taken too, and the document names null alone."""
    items = body if isinstance(body, list) else [body]
    return any(value is False or value == "" for item in items if isinstance(item, dict) for value in item.values())


def _names_its_key(body: object, key: object, headers: Any) -> bool:
    """True if each record has a value of the key that ``on_conflict`` names, or conditions and key are not there."""
    items = body if isinstance(body, list) else [body]
    if key is None:
        unmeant = {"if-match", "if-none-match"} & {name.lower() for name in headers}
        return not unmeant and not any(isinstance(item, dict) and "external_id" in item for item in items)
    return all(isinstance(item, dict) and item.get(str(key)) not in (None, "") for item in items)


def _names_one_twice(body: object) -> bool:
    """True if a list names a record, or a term, twice: generators make classes that few can use of ``uniqueItems``."""
    if isinstance(body, dict):
        body = body.get("ids")
    items = body.split(",") if isinstance(body, str) else body if isinstance(body, list) else []
    ids = [str(item.get("id")) if isinstance(item, dict) else str(item) for item in items]
    return len(set(ids)) < len(ids)
