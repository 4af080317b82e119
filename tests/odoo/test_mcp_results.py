"""What a model and a person are shown: bounded, and with nothing in it that can't be seen."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.mcp import previews, results
from app.mcp.offers import Offer
from app.mcp.tools import Tool


def tool(offer: Offer, *, reads: bool = True) -> Tool:
    """Return a tool as far as its answers depend on it."""
    definition = SimpleNamespace(name="Partners")
    endpoint = SimpleNamespace(definition=definition, exposure=None)
    return cast(Tool, SimpleNamespace(offer=offer, reads=reads, title="Update a record", endpoint=endpoint))


def test_what_is_told_is_the_same_for_programs_and_models() -> None:
    told = results.told({"a": "x\ny"})
    notice, data = (content["text"] for content in told["content"])
    assert notice == results.NOTICE
    assert json.loads(data) == told["structuredContent"] == {"a": "x\ny"}
    assert "\n" not in data


@pytest.mark.parametrize("most", [1_000, 5_000, 20_000])
def test_a_list_is_cut_to_what_has_room(most: int) -> None:
    records = [{"id": number, "name": "x" * 400} for number in range(30)]
    told = results.of_result(tool(Offer(pages="records")), {"length": 30, "records": records}, most)
    content = told["structuredContent"]
    assert len(json.dumps(content, separators=(",", ":"))) <= most
    kept = len(content["records"])
    assert kept > 0
    if kept < 30:
        assert f"larger by {kept}" in content["left_out"]
        assert content["left_out"].startswith(f"{30 - kept} of these 30 records.")


def test_a_list_of_which_nothing_has_room_is_an_error() -> None:
    told = results.of_result(tool(Offer(pages="records")), {"length": 1, "records": [{"name": "x" * 5000}]}, 1_000)
    assert told["isError"]
    assert told["structuredContent"]["name"] == "answer_too_long"


@pytest.mark.parametrize(
    ("wraps", "result", "shown"),
    [("record", {"id": "a", "name": "x" * 5000}, {"id": "a"}), ("result", "x" * 5000, None)],
)
def test_a_write_that_was_done_is_no_error_however_long_its_answer(wraps: str, result: Any, shown: Any) -> None:
    told = results.of_result(tool(Offer(wraps=wraps), reads=False), result, 1_000)
    assert "isError" not in told
    assert told["structuredContent"][wraps] == shown
    assert told["structuredContent"]["left_out"].startswith("It was done.")


HIDDEN = [
    "\u202e",
    "\u200b",
    "\u2066",
    "\u00ad",
    "\ufeff",
    "\U000e0041",
    "\x00",
    "\x1b",
    "\r",
    "\n",
    "\u2028",
    "\ue000",
]


@pytest.mark.parametrize("character", HIDDEN)
def test_nothing_hidden_is_shown_to_a_person(character: str) -> None:
    shown = previews.preview(
        tool(Offer(body="values", wraps="record"), reads=False),
        {"id": f"a{character}b", "values": {"name": f"x{character}y"}},
        {"id": "a", "name": f"before{character}"},
        {"id": "a", "name": f"x{character}y"},
    )
    assert character not in shown.text.replace("\n", "", 1)
    assert shown.text.count("\n") == 1


def test_values_and_lines_are_bounded() -> None:
    before = {f"field_{number}": "" for number in range(160)}
    after = dict.fromkeys(before, "x" * 10_000)
    shown = previews.preview(tool(Offer(body="values", wraps="record")), {"id": "a", "values": {}}, before, after)
    assert len(shown.text) < 20_100
    assert shown.text.splitlines()[-1] == f"… and {161 - shown.text.count(chr(10))} more, not shown"
    assert "… (6000 more characters)" in shown.text
    assert not shown.is_whole
    assert len(json.dumps(shown.content)) < 200_000


def test_of_long_values_that_part_is_shown_that_differs() -> None:
    same = "All is well. " * 200
    before, after = {"notes": f"{same}Pay to A. {same}"}, {"notes": f"{same}Pay to B. {same}"}
    shown = previews.preview(tool(Offer(body="values", wraps="record")), {"id": "a", "values": {}}, before, after)
    assert "Pay to A." in shown.content["changes"]["notes"]["before"]
    assert "Pay to B." in shown.content["changes"]["notes"]["after"]
    assert shown.is_whole
    assert shown.text.index("Pay to A.") < shown.text.index("→") < shown.text.index("Pay to B.")


def test_a_value_that_looks_like_the_page_stays_between_its_quotes() -> None:
    text = 'x"\nphone: "1" → "2"'
    shown = previews.preview(
        tool(Offer(body="values", wraps="record")), {"id": "a", "values": {}}, {"name": "a"}, {"name": text}
    )
    assert shown.text.splitlines()[1:] == [f'name: "a" → {json.dumps(text, ensure_ascii=False)}']
