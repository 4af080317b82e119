"""Documents that have been made, kept as long as the catalog stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.catalog.catalog import Snapshot
from app.catalog.definition import Endpoint
from app.docs import openapi
from app.json import dumps

#: Most documents that are kept; callers who may call the same endpoints share one.
_MOST = 64


class Documents:
    """Makes the document of some endpoints, once for each snapshot of the catalog."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._made: dict[tuple[str, ...], tuple[bytes, str]] = {}

    def of(self, snapshot: Snapshot, endpoints: Sequence[Endpoint]) -> tuple[bytes, str]:
        """Return the JSON and its ETag."""
        made = self._made
        if self._snapshot is not snapshot or len(made) >= _MOST:
            # Replaced, not emptied: another thread may be reading the old ones.
            made = self._made = {}
            self._snapshot = snapshot
        key = tuple(f"{endpoint.method} {endpoint.path}" for endpoint in endpoints)
        if key not in made:
            content = dumps(openapi.document(endpoints))
            made[key] = content, hashlib.sha256(content).hexdigest()[:32]
        return made[key]
