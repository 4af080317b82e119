"""Documents that have been made, kept as long as the same endpoints are served.

A document names the server by the address that its reader uses. Anybody can make up such addresses, so what is kept is
without one, and it is put in at each request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.json import dumps
from app.openapi.document import describe
from app.operations.endpoints import Endpoint

#: Most documents that are kept; callers who may call the same endpoints share one.
_MOST = 64
#: Stands for the server's address in what is kept; a name that no server has (RFC 2606).
_ANY_SERVER = "https://gatehouse.invalid"


class Documents:
    """Makes the document of some endpoints, once as long as the served ones stay what they are."""

    def __init__(self) -> None:
        self._served: tuple[Endpoint, ...] = ()
        self._made: dict[tuple[str, ...], tuple[bytes, str]] = {}

    def of(self, served: tuple[Endpoint, ...], endpoints: Sequence[Endpoint], server: str) -> tuple[bytes, str]:
        """Return the JSON of some of the served endpoints at a server, and its ETag."""
        made = self._made
        if self._served is not served or len(made) >= _MOST:
            # Replaced, not emptied: another thread may be reading the old ones.
            made = self._made = {}
            self._served = served
        key = tuple(f"{endpoint.method} {endpoint.path}" for endpoint in endpoints)
        if key not in made:
            content = dumps(describe(endpoints, _ANY_SERVER))
            made[key] = content, hashlib.sha256(content).hexdigest()
        content, digest = made[key]
        etag = hashlib.sha256(f"{digest} {server}".encode()).hexdigest()[:32]
        return content.replace(_ANY_SERVER.encode(), dumps(server)[1:-1]), etag
