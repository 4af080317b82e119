"""Routes that two APIs claim: what one publishes must not hide what another one serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.definitions.definition import Definition
from app.operations.endpoints import endpoints


def conflicts(definitions: Iterable[Definition]) -> Iterator[tuple[Definition, Definition, str]]:
    """Yield (API, other API, path) for each pair that collides, once.

    Routes are unique, published or not. Between published APIs, ``/api/a/<id>`` also takes ``/api/a/b``.
    """
    routes: dict[str, Definition] = {}
    exact: dict[str, Definition] = {}
    below: dict[str, Definition] = {}
    reported = set()
    everything = list(definitions)
    for definition in everything:
        first = routes.setdefault(definition.document.route, definition)
        if first is not definition:
            reported.add((definition.name, first.name))
            yield definition, first, definition.document.route
        if definition.document.published:
            for endpoint in endpoints(definition):
                parent, _, last = endpoint.path.rpartition("/")
                if last.startswith("<"):
                    below[parent] = definition
                else:
                    exact.setdefault(endpoint.path, definition)
    for definition in everything:
        if not definition.document.published:
            continue
        for path in {endpoint.path for endpoint in endpoints(definition)} | {definition.document.route}:
            for other in (exact.get(path), below.get(path.rpartition("/")[0])):
                if other is None or other is definition:
                    continue
                if (definition.name, other.name) not in reported and (other.name, definition.name) not in reported:
                    reported.add((definition.name, other.name))
                    yield definition, other, path
