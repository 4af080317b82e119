"""Messages as Standard Webhooks has them: a body, and the headers that say which it is and who has signed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from standardwebhooks import Webhook as Signer

from app.json import dumps
from app.times import iso
from app.version import VERSION


def body(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """Return the body of a message: what has happened, when it was found, and about what ("Payload structure")."""
    return dumps({"type": kind, "timestamp": iso(at), "data": data})


def headers(message: str, content: bytes, secrets: Sequence[str], at: datetime | None = None) -> dict[str, str]:
    """Return the headers of a message that is sent now: its id, time and signatures, one with each secret."""
    at = at or datetime.now(timezone.utc)
    signatures = [Signer(secret).sign(message, at, content.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Gatehouse/{VERSION}",
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
