"""Routes that two APIs claim: what one publishes must not hide what another one serves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from app.definitions.definition import Definition
from app.operations.endpoints import endpoints

_SLASH = re.compile("/")


def conflicts(definitions: Iterable[Definition]) -> Iterator[tuple[Definition, Definition, str]]:
    """Yield (API, other API, path) for each pair that collides, once.

    Routes are unique, published or not. Between published APIs, ``/api/a/<id>`` also takes ``/api/a/b``, and
    ``/api/a/by/ref/<value>`` all that begins with ``/api/a/by/ref/``.
    """
    everything = list(definitions)
    reported: set[frozenset[str]] = set()
    for definition, other, path in (*_of_routes(everything), *_of_paths(everything)):
        pair = frozenset((definition.name, other.name))
        if pair not in reported:
            reported.add(pair)
            yield definition, other, path


def _of_routes(definitions: Sequence[Definition]) -> Iterator[tuple[Definition, Definition, str]]:
    owners: dict[str, Definition] = {}
    for definition in definitions:
        first = owners.setdefault(definition.document.route, definition)
        if first is not definition:
            yield definition, first, definition.document.route


def _of_paths(definitions: Sequence[Definition]) -> Iterator[tuple[Definition, Definition, str]]:
    published = [definition for definition in definitions if definition.document.published]
    exact, with_ids = _owners(published)
    with_keys = {
        endpoint.path_with("", ""): definition
        for definition in published
        for endpoint in endpoints(definition)
        if endpoint.action.by_key
    }
    for definition in published:
        paths = dict.fromkeys([definition.document.route, *(endpoint.path for endpoint in endpoints(definition))])
        for path in paths:
            below = (with_keys.get(path[: end.end()]) for end in _SLASH.finditer(path))
            for other in (exact.get(path), with_ids.get(_parent(path)), *below):
                if other is not None and other is not definition:
                    yield definition, other, path


def _owners(published: Iterable[Definition]) -> tuple[dict[str, Definition], dict[str, Definition]]:
    """Return the API that serves each path; those that end in an id apart, by what stands before the id."""
    exact: dict[str, Definition] = {}
    with_ids: dict[str, Definition] = {}
    for definition in published:
        for endpoint in endpoints(definition):
            if endpoint.action.on_one_record:
                with_ids[_parent(endpoint.path)] = definition
            else:
                exact.setdefault(endpoint.path, definition)
    return exact, with_ids


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
