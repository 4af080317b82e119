"""Names of tools: the API, the model where it has several, and what is done: ``partners_search``."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from app.definitions.definition import Definition
from app.openapi.operations import slug
from app.operations.actions import CALL, CALL_ON_RECORD, DELETE_BY_KEY, READ_BY_KEY, UPSERT
from app.operations.endpoints import Endpoint

#: Characters that clients take at most, which take letters, digits, ``_`` and ``-``.
LONGEST = 64
_DIGEST = 8


def names(endpoints: Iterable[Endpoint]) -> list[str]:
    """Return a name for each endpoint that no other has, in order; the same as long as the APIs are."""
    listed = list(endpoints)
    apis = api_names(endpoint.definition for endpoint in listed)
    found = [_shortened(f"{apis[each.definition.id]}{_model(each)}_{_done(each)}") for each in listed]
    return _unlike(found, [f"{each.definition.id}{_model(each)}_{_done(each)}" for each in listed])


def api_names(definitions: Iterable[Definition]) -> dict[int, str]:
    """Return a name for each API that no other has, by id."""
    found = {each.id: _words(each.name) or _words(slug(each)) for each in definitions}
    return dict(zip(found, _unlike(list(found.values()), [str(api_id) for api_id in found]), strict=True))


def _unlike(names: Sequence[str], told_apart: Sequence[str]) -> list[str]:
    """Return names of which no two are alike: those that are get what tells them apart, as a digest."""
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{name[: LONGEST - _DIGEST - 1]}_{_digest(other)}"
        for name, other in zip(names, told_apart, strict=True)
    ]


def _model(endpoint: Endpoint) -> str:
    return f"_{_words(endpoint.model)}" if len(endpoint.definition.document.models) > 1 else ""


def _done(endpoint: Endpoint) -> str:
    action, method = endpoint.action, endpoint.definition.document.method
    if action in (READ_BY_KEY, UPSERT, DELETE_BY_KEY):
        return f"{action.name.removesuffix('_by_key')}_by_{endpoint.key}"
    if action in (CALL, CALL_ON_RECORD) and method is not None:
        return method if action is CALL else f"{method}_on_record"
    return action.name


def _words(text: str) -> str:
    """Return a text as a part of a name; "" where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def _shortened(name: str) -> str:
    """Return a name that is short enough, and still one's own."""
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - _DIGEST - 1]}_{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
