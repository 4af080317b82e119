"""Ops: who knows the token of the settings may see how the server does."""

from __future__ import annotations

import hmac

from flask import request

from app.web.services import services


def is_operator() -> bool:
    """True if the current request carries ``GATEHOUSE_METRICS_TOKEN``; without one in the settings nobody's does."""
    token = services().settings.metrics_token
    # Bytes: a header may hold letters that compare_digest does not take as text.
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return token is not None and hmac.compare_digest(given, f"Bearer {token}".encode())
