"""Who is the same caller, as far as the server can tell."""

from __future__ import annotations

from app.auth.addresses import place_of
from serving.callers import KNOWN, Caller, Callers, Known, credential_of

TOKEN, OTHER = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")
COOKIE = (b"cookie", b"x=session_id=no; session_id=abc; y=z")


def callers(
    headers: list[tuple[bytes, bytes]], address: str, proxies: int = 0, *, known: bool = True
) -> tuple[Caller, ...]:
    """Return for whom a request counts where its credential, if any, was good lately, or was not."""
    looked_up = Callers(proxies, place_of)
    credential = credential_of(headers)
    if known and credential is not None:
        looked_up.known.add(credential)
    found, unknown = looked_up.of(headers, address)
    assert unknown == (None if known else credential)
    return found


def test_callers_are_told_apart_by_their_credentials() -> None:
    assert callers([TOKEN], "1.2.3.4") == callers([TOKEN, COOKIE], "4.3.2.1")
    assert callers([TOKEN], "1.2.3.4") != callers([OTHER], "1.2.3.4")
    assert callers([COOKIE], "1.2.3.4") == callers([(b"cookie", b"session_id=abc  ")], "4.3.2.1")


def test_credentials_that_anybody_can_make_up_count_for_their_address() -> None:
    made_up = [[(b"authorization", b"Bearer %d" % number)] for number in range(5)]
    assert {callers(headers, "1.2.3.4", known=False)[0] for headers in made_up} == {"1.2.3.4"}


def test_a_credential_counts_by_itself_before_it_is_known_and_after() -> None:
    (known,) = callers([TOKEN], "1.2.3.4")
    assert callers([TOKEN], "1.2.3.4", known=False) == ("1.2.3.4", known)


def test_who_has_none_is_told_apart_by_address() -> None:
    forwarded = [(b"x-forwarded-for", b"6.6.6.6, 9.9.9.9"), (b"x-forwarded-for", b"8.8.8.8:4711")]
    assert callers(forwarded, "1.2.3.4") == ("1.2.3.4",)
    assert callers(forwarded, "127.0.0.1", 1) == ("8.8.8.8",)
    assert callers(forwarded, "127.0.0.1", 2) == ("9.9.9.9",)
    assert callers([], "127.0.0.1", 1) == ("127.0.0.1",)
    assert callers([], "2001:db8::1") == callers([], "2001:db8::ffff:1")


def test_no_more_credentials_are_remembered_than_there_is_room_for() -> None:
    known = Known()
    for number in range(KNOWN + 1):
        known.add(b"%d" % number)
    assert b"0" not in known
    assert b"1" in known
