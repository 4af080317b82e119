"""Pages for persons: the headers that keep foreign scripts, frames and addresses out of them."""

from __future__ import annotations

from flask import Response


def harden(response: Response, policy: str, *, referrer: str = "no-referrer", opener: str | None = None) -> Response:
    """Set a page's ``policy`` (Content Security Policy Level 3), and that no other site learns its address.

    ``opener`` is the Cross-Origin-Opener-Policy, for pages that none of another site may hold on to.
    """
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = referrer
    if opener is not None:
        response.headers["Cross-Origin-Opener-Policy"] = opener
    return response
