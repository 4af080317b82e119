"""The requests of APIs of type rest."""

from __future__ import annotations

from app.json import dumps
from app.operations.actions import (
    AGGREGATE,
    CREATE,
    DELETE,
    DELETE_MANY,
    DELTA,
    EXPORT,
    IMPORT,
    READ,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
)
from app.operations.endpoints import Endpoint
from app.operations.exports.export import CSV, NDJSON
from app.policy import aggregation
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test, forget, keep, stream_test

#: Records that a search asks for.
_LIMIT = 5
#: What the first page of a walk says of the next.
_WALKED = "pm.expect(answer.result.next_cursor !== null).to.eql(answer.result.has_more);"


@requests(SEARCH)
def _search(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    found = f"const found = answer.result.records[0]?.id;\nif (found) {{\n{keep(tried.one, 'found')}\n}}"
    limit = min(_LIMIT, tried.definition.document.max_page_size)
    query = {"domain": "[]", "limit": str(limit), "offset": "0", "order": "id", "count": "exact"}
    walk = {"domain": "[]", "limit": str(limit), "paging": "cursor", "cursor": ""}
    return [
        tried.request("Search", endpoint, path, answer_test([200], then=found), query=query),
        tried.request("Search by cursor", endpoint, path, answer_test([200], then=_WALKED), query=walk),
    ]


@requests(AGGREGATE)
def _aggregate(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    key = next(aggregation.keys_of(endpoint.exposure.searchable), "") if endpoint.exposure else ""
    query = {"domain": "[]", "group": key, "aggregates": aggregation.COUNT, "having": "", "order": "", "limit": "5"}
    return [tried.request("Aggregate", endpoint, path, answer_test([200]), query=query)]


@requests(EXPORT)
def _export(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    query = {"domain": "[]", "order": "id"}
    return [
        tried.request(f"Export as {name}", endpoint, path, stream_test(accept), query=query, accept=accept)
        for name, accept in (("NDJSON", NDJSON), ("CSV", CSV))
    ]


@requests(DELTA)
def _delta(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    kept = f"pm.collectionVariables.set('delta_{tried.one}', answer.result.delta_token);"
    first, following = {"token": "latest"}, {"token": f"{{{{delta_{tried.one}}}}}"}
    return [
        tried.request("Delta from now", endpoint, path, answer_test([200], then=kept), query=first),
        tried.request("Delta", endpoint, path, answer_test([200]), query=following),
    ]


@requests(CREATE)
def _create(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    body, refusable = tried.body(creating=True), bool(tried.unwritable)
    kept = tried.created(dict.fromkeys((tried.one, tried.new), "answer.result"))
    test = answer_test([200], refusable=refusable, then=kept)
    found = [tried.request("Create", endpoint, path, test, body=body)]
    if tried.creates_many:
        items = tried.several(changing=True)
        kept = tried.created({name: f"answer.result[{number}]" for number, name in enumerate(items)})
        test = answer_test([200], refusable=refusable, then=kept)
        found.append(tried.request("Create many", endpoint, path, test, body=[body for _ in items]))
    return found


@requests(IMPORT)
def _import(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    line = dumps(tried.body(creating=True)).decode() + "\n"
    name, test = "Try an import", stream_test(NDJSON)
    return [tried.request(name, endpoint, path, test, body=2 * line, content_type=NDJSON, prefer="tx=rollback")]


@requests(READ)
def _read(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [tried.request("Read", endpoint, path, answer_test([200], unseen=[tried.one]))]


@requests(UPDATE)
def _update(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [tried.request("Update", endpoint, path, tried.test(tried.new), body=tried.body())]


@requests(READ_MANY)
def _read_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    ids = tried.several(changing=False)
    query = {"ids": ",".join(map(_of, ids))}
    return [tried.request("Read many", endpoint, path, answer_test([200], unseen=ids), query=query)]


@requests(UPDATE_MANY)
def _update_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    ids, body = tried.several(changing=True), tried.body()
    own = [{"id": _of(each), **body} for each in ids]
    alike = ids[:1] if tried.unique & body.keys() else ids
    common = {"ids": list(map(_of, alike)), **body}
    return [
        tried.request("Update many, own values", endpoint, path, tried.test(*ids), body=own),
        tried.request("Update many, common values", endpoint, path, tried.test(*alike), body=common),
    ]


@requests(DELETE_MANY)
def _delete_many(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    ids = tried.several(changing=True)
    test = tried.test(*ids, then=forget(*ids))
    return [tried.request("Delete many", endpoint, path, test, body=list(map(_of, ids)))]


@requests(DELETE)
def _delete(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    then = "" if tried.keeps_nothing else forget(tried.one, tried.new)
    return [tried.request("Delete", endpoint, path, tried.test(tried.new, then=then))]


def _of(variable: str) -> str:
    """Return the placeholder of a variable's value."""
    return f"{{{{{variable}}}}}"
