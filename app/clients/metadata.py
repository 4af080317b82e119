"""Client ID metadata documents: a client names itself by the address of a document that describes it.

Nobody has registered it. Whether it may ask at all, and what it may do, is for the client app that has its host (draft
draft-ietf-oauth-client-id-metadata-document-00; MCP 2026-07-28: basic/authorization/client-registration).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from app.clients.document import is_safe_redirect
from app.json import load
from app.networks import Networks
from app.outgoing.destinations import Refused
from app.outgoing.fetching import Fetched, Unreachable, fetch

#: Bytes that a document may have (draft, 6.6), and entries of its list of addresses.
MOST: Final = 5 * 1024
_MOST_URIS, _LONGEST_NAME, _LONGEST_URL = 20, 100, 500
#: Seconds for which a document is good, whatever it says itself.
_SHORTEST, _USUAL, _LONGEST = 60, 3600, 24 * 3600
_MAX_AGE = re.compile(r"max-age=([0-9]{1,9})")
_NOT_KEPT = re.compile(r"no-store|no-cache")


class Unfit(Exception):
    """A client that can't be taken for one; the message tells the person in front of the page why."""


@dataclass(frozen=True, slots=True)
class Described:
    """A client as its document describes it, good for so many seconds."""

    url: str
    name: str
    redirect_uris: tuple[str, ...]
    seconds: int


def is_url(client_id: str) -> bool:
    """True if a client id is an address, and so not one of ours."""
    return client_id.startswith(("https://", "http://"))


def host_of(client_id: str) -> str:
    """Return the host of a client id that is an address, in lower case, with its port where it has one; "" of none."""
    try:
        parts = urlsplit(client_id)
        return parts.netloc.lower() if parts.hostname and "@" not in parts.netloc else ""
    except ValueError:
        return ""


def described(url: str, trusted: Networks) -> Described:
    """Fetch and return the description of a client; raises Unfit."""
    _check_url(url)
    try:
        return parse(url, fetch(url, trusted, accept="application/json", most=MOST))
    except (Refused, Unreachable) as error:
        raise Unfit(f"The document that describes this app could not be had. {error}") from None


def parse(url: str, answer: Fetched) -> Described:
    """Return the description of a client from the answer at its address; raises Unfit."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    if answer.status != 200 or not (kind == "application/json" or kind.endswith("+json")):
        raise _unfit(f"the answer has status {answer.status} and type {kind[:60] or 'none'}, not 200 and JSON")
    try:
        document = load(answer.content)
    except ValueError:
        raise _unfit("it is not JSON") from None
    if not isinstance(document, dict) or document.get("client_id") != url:
        raise _unfit("its client_id is not the address that it lies at")
    if document.get("token_endpoint_auth_method", "none") != "none" or "client_secret" in document:
        raise _unfit("it has another way to authenticate than none, and no other can be served")
    return Described(url, _name(document), _uris(document), _seconds(answer.cache_control))


def _check_url(url: str) -> None:
    """Check the form of a client id (draft, 3); raises Unfit."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _unfit("its address is malformed") from None
    segments = parts.path.split("/")
    if len(url) > _LONGEST_URL or not parts.path.strip("/") or "." in segments or ".." in segments:
        raise _unfit("its address has to have a path, without dots as segments")
    if parts.query or "#" in url or "@" in parts.netloc:
        raise _unfit("its address has a query, a fragment or a user")


def _name(document: dict[str, Any]) -> str:
    name = document.get("client_name")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise _unfit(f"client_name has to be a text of at most {_LONGEST_NAME} characters that can be seen")
    return name.strip()


def _uris(document: dict[str, Any]) -> tuple[str, ...]:
    found = document.get("redirect_uris")
    if not isinstance(found, Sequence) or isinstance(found, str) or not 1 <= len(found) <= _MOST_URIS:
        raise _unfit(f"redirect_uris has to be a list of 1 to {_MOST_URIS} addresses")
    for uri in found:
        if not isinstance(uri, str) or len(uri) > _LONGEST_URL or not is_safe_redirect(uri):
            raise _unfit("redirect_uris have to be https, http on the person's machine, or an app's own scheme")
    return tuple(found)


def _seconds(cache_control: str) -> int:
    text = cache_control.lower()
    if _NOT_KEPT.search(text):
        return _SHORTEST
    found = _MAX_AGE.search(text)
    return min(max(int(found[1]), _SHORTEST), _LONGEST) if found else _USUAL


def _unfit(why: str) -> Unfit:
    return Unfit(f"The document that describes this app can't be used: {why}.")
