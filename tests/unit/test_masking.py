"""What the log may hold of a body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.analytics.bodies import MAX_PARSED, Body, Exchange, Legible, Room, legible
from app.definitions.masking import Masking

MASKING = Masking.of(["Email", "ref"], binary=["image_1920"], parameters=["name", "email"])


def _kept(request: Any, response: Any = None, *, mimetype: str = "application/json", most: int = 10_000) -> Any:
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    answer = Body.of(json.dumps(response).encode(), "application/json") if response is not None else Body()
    return legible(Exchange(Body.of(data, mimetype), answer, MASKING, most), None)


@pytest.mark.parametrize(
    "name",
    ["password", "PASSWORD", "new_password2", "secret", "clientSecret", "access_token", "refreshToken", "api_key",
     "X-Api-Key", "apikey", "private_key", "Authorization", "session_id", "pin", "smtp_pass", "email", "EMAIL", "Ref"],
)  # fmt: skip
def test_a_name_is_hidden_at_any_depth_however_it_is_written(name: str) -> None:
    for body in (
        {name: "needle"},
        {"a": [{"b": {name: "needle"}}]},
        {"line_ids": [[0, 0, {name: ["needle", {"x": "needle"}]}]]},
        {"jsonrpc": "2.0", "id": 1, "params": {name: "needle"}},
        {"domain": [["a", "=", 1], [name, "=", "needle"]]},
        {"domain": [["partner_id", "any", [[f"parent_id.{name}", "in", ["needle"]]]]]},
        {"domain": f"['|', ('a', '=', 1), ('{name}', 'ilike', 'needle')]"},
        {"properties": [{"name": name, "type": "char", "value": "needle"}]},
        {"text": json.dumps({"inner": {name: "needle"}})},
    ):
        kept = _kept(body)
        assert "needle" not in kept.request_body, body
        assert "***" in kept.request_body


def test_what_is_not_hidden_stays_as_it_is() -> None:
    body = {
        "name": "Ada", "keyboard": "qwerty", "fields": ["email", "phone_number", "street"], "n": [1, 2.5, None, True],
        "domain": "[('name','=','Ada')]", "image_1920": "/api/image/1/res.partner/x/image_1920", "html": "(a) <b>",
    }  # fmt: skip
    assert json.loads(_kept(body).request_body) == body


@pytest.mark.parametrize(
    "text",
    ["domain=[('email','=','needle')]&limit=5", "password=needle&a=1", "a=1&values=%7B%22email%22%3A%22needle%22%7D",
     "domain=%5B%5B%22ref%22%2C%22%3D%22%2C%22needle%22%5D%5D", "email=needle&email=needle"],
)  # fmt: skip
def test_a_form_is_shown_as_an_object_without_what_is_hidden(text: str) -> None:
    kept = _kept(text.encode(), mimetype="application/json")  # whatever the type says
    assert "needle" not in kept.request_body
    assert "***" in kept.request_body
    assert isinstance(json.loads(kept.request_body), dict)


@pytest.mark.parametrize(
    "text",
    ['{"email": "needle"', "email: needle", "<password>needle</password>", '{"p\\u0061ssword": "needle"',
     "p%61ssword: needle", "api-key needle", "domain=[('email','=','needle'", "E M A I L needle \\x"],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_left_out_where_a_hidden_name_may_stand_in_it(text: str) -> None:
    kept = _kept(text.encode(), mimetype="text/plain")
    assert "needle" not in (kept.request_body or "")
    assert "***" in (kept.request_body or "") or "nothing in it could be masked" in kept.request_note


def test_malformed_input_without_hidden_names_is_kept_for_whoever_has_to_find_the_mistake() -> None:
    assert _kept(b'{"name": "Ada",').request_body == '{"name": "Ada",'


def test_positional_arguments_are_hidden_by_the_names_of_the_parameters() -> None:
    for body in (["Ada", "needle"], {"jsonrpc": "2.0", "params": ["Ada", "needle"]}):
        kept = _kept(body)
        assert "Ada" in kept.request_body
        assert "needle" not in kept.request_body


def test_a_value_that_was_hidden_is_hidden_wherever_the_call_repeats_it() -> None:
    request = Body.of(b'{"password": "needle-1", "note": "it is needle-1"}', "application/json")
    response = Body.of(b'{"error": {"message": "needle-1 is too short", "list": ["needle-1"]}}', "application/json")
    kept = legible(Exchange(request, response, MASKING, 1000), "Item 0: needle-1 is too short")
    assert "needle-1" not in repr(kept)
    assert kept.message == "Item 0: *** is too short"


def test_the_beginning_of_a_hidden_value_that_a_message_cuts_is_hidden_too() -> None:
    secret = "needle" + "-1" * 100
    request = Body.of(json.dumps({"password": secret}).encode(), "application/json")
    kept = legible(Exchange(request, Body(), MASKING, 1000), f"password: {secret[:77]}... is no number, nor {secret}!")
    assert kept.message == "password: ***... is no number, nor ***!"


def test_a_query_is_shown_as_an_object_and_hides_what_bodies_hide() -> None:
    query = Body(b"domain=%5B%5B%22email%22%2C%22%3D%22%2C%22needle%22%5D%5D&limit=5&token=needle")
    kept = legible(Exchange(Body(), Body(), MASKING, 1000, query), "needle", "ValueError: needle")
    assert json.loads(kept.query or "") == {"domain": '[["email","=","***"]]', "limit": "5", "token": "***"}
    assert (kept.message, kept.reason) == ("***", "ValueError: ***")


def test_where_no_bodies_are_kept_they_still_tell_what_to_hide() -> None:
    request = Body.of(b'{"password": "needle", "name": "Ada"}', "application/json")
    exchange = Exchange(request, Body(), MASKING, 1000, Body(b"q=x"), kept=False)
    assert legible(exchange, "Ada: needle") == Legible(message="Ada: ***")


@pytest.mark.parametrize(
    "body",
    [
        [{"password": f"needle-{number}"} for number in range(300)],  # more than are looked for
        {"domain": "[('password', '=', 'needle'"},
    ],
)
def test_where_not_all_that_is_hidden_is_known_nothing_that_may_repeat_it_is_kept(body: Any) -> None:
    request = Body.of(json.dumps(body).encode(), "application/json")
    response = Body.of(b'{"error": {"message": "needle-299"}}', "application/json")
    kept = legible(Exchange(request, response, MASKING, 10_000), "needle-299", "ValueError: needle-299")
    assert "needle" not in repr(kept)
    assert (kept.message, kept.reason, kept.response_body) == (None, None, None)
    assert kept.request_body
    assert "may repeat" in (kept.response_note or "")


def test_content_of_files_is_left_out() -> None:
    content = "iVBORw0KGgo" * 100
    assert content not in _kept({"image_1920": "aGk=", "x": content}).request_body
    assert "aGk=" not in _kept({"image_1920": "aGk="}).request_body
    for mimetype in ("image/png", "multipart/form-data", "application/octet-stream"):
        kept = _kept(b"needle", mimetype=mimetype)
        assert (kept.request_body, kept.request_note) == (None, f"Left out: {mimetype}, 6 bytes.")
    assert "no text" in _kept(b"\xff\xfe").request_note
    assert "more than the log takes apart" in _kept(b" " * (MAX_PARSED + 1)).request_note


def test_a_long_body_is_cut_and_said_to_be() -> None:
    kept = _kept({"name": "é" * 500}, most=300)
    assert len(kept.request_body.encode()) in (299, 300)
    assert kept.request_note == "Cut: these are the first 300 of 1,011 bytes."


@pytest.mark.parametrize("body", [b"[" * 900 + b"]" * 900, b"[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300,
                                  b'{"n": 123456789012345678901234567890}', b'{"a": "\\u0000"}', b"a\x00b",
                                  b"\xef\xbb\xbf{}",
                                  b'{"x": "{1: b\'y\', \'password\': 2}"}', b"=&=&", b"null", b'""'])  # fmt: skip
def test_hostile_bodies_hold_nothing_up(body: bytes) -> None:
    kept = _kept(body)
    assert "made fit" not in (kept.request_note or "")
    assert "\x00" not in (kept.request_body or "")


def test_bodies_that_wait_have_bounded_room() -> None:
    room = Room(capacity=100)
    assert room.take(60)
    assert not room.take(60)
    room.give_back(60)
    assert room.take(100)
