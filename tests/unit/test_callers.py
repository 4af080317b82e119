"""Who is the same caller, as far as the server can tell."""

from __future__ import annotations

from app.auth.addresses import place_of
from serving.callers import KNOWN, Callers, Origin, credential_of

TOKEN, OTHER = (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")
COOKIE = (b"cookie", b"x=session_id=no; session_id=abc; y=z")


def origin(headers: list[tuple[bytes, bytes]], address: str, proxies: int = 0) -> Origin:
    """Return where a request comes from whose credential, if any, is not known."""
    return Callers(proxies, place_of).origin(headers, address)


def test_a_credential_is_a_header_or_the_session() -> None:
    assert origin([TOKEN], "1.2.3.4").credential == origin([TOKEN, COOKIE], "4.3.2.1").credential
    assert origin([TOKEN], "1.2.3.4").credential != origin([OTHER], "1.2.3.4").credential
    session = origin([(b"cookie", b"session_id=abc  ")], "4.3.2.1")
    assert origin([COOKIE], "1.2.3.4").credential == session.credential is not None


def test_credentials_that_anybody_can_make_up_count_for_their_address() -> None:
    made_up = [[(b"authorization", b"Bearer %d" % number)] for number in range(5)]
    assert {origin(headers, "1.2.3.4").callers[0] for headers in made_up} == {"1.2.3.4"}


def test_a_credential_that_is_not_known_counts_by_itself_too() -> None:
    found = origin([TOKEN], "1.2.3.4")
    assert found.callers == ("1.2.3.4", found.credential)
    assert not found.is_known


def test_known_credentials_count_for_who_has_them() -> None:
    callers = Callers(0, place_of)
    for headers, who in (([TOKEN], "client:1"), ([OTHER], "client:1"), ([COOKIE], "user:2")):
        callers.vouch(credential_of(headers) or b"", who)
    token, other, cookie = (callers.origin([header], "1.2.3.4") for header in (TOKEN, OTHER, COOKIE))
    assert token.is_known
    assert token.callers[0] == other.callers[0] != cookie.callers[0]
    assert token.callers[1] == origin([TOKEN], "1.2.3.4").callers[1]
    assert "1.2.3.4" not in (*token.callers, *cookie.callers)


def test_a_credential_that_is_not_good_any_more_is_like_any_other() -> None:
    callers, before = Callers(0, place_of), origin([TOKEN], "1.2.3.4")
    for _ in range(2):
        callers.vouch(credential_of([TOKEN]) or b"", "client:1")
        callers.forget(credential_of([TOKEN]) or b"")
        assert callers.origin([TOKEN], "1.2.3.4") == before


def test_who_has_none_is_told_apart_by_address() -> None:
    forwarded = [(b"x-forwarded-for", b"6.6.6.6, 9.9.9.9"), (b"x-forwarded-for", b"8.8.8.8:4711")]
    assert origin(forwarded, "1.2.3.4").callers == ("1.2.3.4",)
    assert origin(forwarded, "127.0.0.1", 1).callers == ("8.8.8.8",)
    assert origin(forwarded, "127.0.0.1", 2).callers == ("9.9.9.9",)
    assert origin([], "127.0.0.1", 1).callers == ("127.0.0.1",)
    assert origin([], "2001:db8::1").callers == origin([], "2001:db8::ffff:1").callers


def test_no_more_credentials_are_remembered_than_there_is_room_for_and_those_used_last_stay() -> None:
    callers = Callers(0, place_of)
    callers.vouch(credential_of([TOKEN]) or b"", "client:1")
    for number in range(KNOWN):
        assert callers.origin([TOKEN], "1.2.3.4").is_known
        callers.vouch(b"%d" % number, "client:2")
    assert callers.origin([TOKEN], "1.2.3.4").is_known
    assert len(callers._known) == KNOWN
