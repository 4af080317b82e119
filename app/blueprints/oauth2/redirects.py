"""Redirect addresses: those that a client app has registered."""

from __future__ import annotations

import re

from app.clients.store import Client

#: An address of the person's own machine, in parts: before its port, and behind it.
_LOCAL = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(/[^#]*)?")


def registered(uri: str, client: Client) -> bool:
    """True if a redirect URI is, character by character, one of a client app's (RFC 6749 3.1.2.3).

    On the person's own machine the port may be any: an app takes one that is free at the moment (RFC 8252 7.3).
    """
    local = _LOCAL.fullmatch(uri)
    if uri in client.redirect_uris or local is None:
        return uri in client.redirect_uris
    known = (_LOCAL.fullmatch(each) for each in client.redirect_uris)
    return any(each is not None and each.group(1, 2) == local.group(1, 2) for each in known)
