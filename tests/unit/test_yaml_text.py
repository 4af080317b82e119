"""YAML that stands for more than it says, or that makes its library stumble: one clear error, at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.editing import yaml_text


def bomb(levels: int, copies: int, open_: str = "[{}]") -> str:
    """Return anchors each of which names the one before several times."""
    text = "a0: &a0 {x: x}\n"
    for level in range(1, levels):
        text += f"a{level}: &a{level} {open_.format(', '.join([f'*a{level - 1}'] * copies))}\n"
    return text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[" * 500, "40 levels", id="brackets"),
        pytest.param("[" * 500 + "]" * 500, "40 levels", id="pairs of brackets"),
        pytest.param("{a: " * 2_000, "40 levels", id="braces"),
        pytest.param("- " * 2_000, "40 levels", id="dashes"),
        pytest.param("".join(f"{' ' * depth}a:\n" for depth in range(1000)), "40 levels", id="indentation"),
        pytest.param("? " * 2_000, "40 levels", id="keys"),
        pytest.param(bomb(9, 10), "100,000 values", id="alias bomb"),
        pytest.param(bomb(9, 10, "{{<<: [{}]}}"), "100,000 values", id="merge bomb"),
        pytest.param("a: &a [*a]", "alias 'a'", id="alias within itself"),
        pytest.param("a: &a 1\nb: &a [*a, *a]", "alias 'a'", id="alias within its anchor's second use"),
        pytest.param('a: "\\0"', "NUL", id="NUL"),
        pytest.param('"\\ud800": a', "half a character", id="half a character as a key"),
        pytest.param("a: .nan", "number that is none", id="not a number"),
        pytest.param("a: !!binary aGk=", "JSON", id="bytes"),
        pytest.param("a: !!set {x}", "JSON", id="set"),
        pytest.param("a: *nobody", "alias 'nobody'", id="alias of nothing"),
        pytest.param("#" * 2_000_001, "2,000,000 characters", id="length"),
        pytest.param("a: 2026-02-30", "day is out of range", id="a day that is none"),
        pytest.param("a: " + "9" * 5000, "4300 digits", id="digits"),
        pytest.param("!!bool x", "cannot be read", id="a truth that is none"),
        pytest.param("!!int ''", "cannot be read", id="a number that is none"),
    ],
)
def test_what_is_too_much_or_no_value_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(yaml_text.NotYaml, match=says):
        yaml_text.parse(text)


def test_values_count_without_aliases_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MAX_VALUES", 1_000)
    assert yaml_text.parse("- x\n" * 999) == ["x"] * 999  # and the list
    with pytest.raises(yaml_text.NotYaml, match="1,000 values"):
        yaml_text.parse("- x\n" * 1_000)


def test_aliases_within_bounds_are_taken() -> None:
    assert yaml_text.parse("a: &fields [x, y]\nb: *fields\nc: &one 1\nd: *one") == {
        "a": ["x", "y"],
        "b": ["x", "y"],
        "c": 1,
        "d": 1,
    }


def test_dates_and_times_are_text_as_odoo_has_it_in_domains() -> None:
    text = "[2026-02-28, 2026-02-28T10:00:00Z, 2026-02-28 10:00:00, 2026-02-28T10:00:00+02:00]"
    assert yaml_text.parse(text) == ["2026-02-28", "2026-02-28 10:00:00", "2026-02-28 10:00:00", "2026-02-28 08:00:00"]


@settings(deadline=None)
@given(st.text(alphabet="[]{}&*!:?,-|>'\"#%@<=~ \n\tab019.", max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        yaml_text.parse(text)
    except yaml_text.NotYaml as error:
        assert str(error)  # noqa: PT017  either way is good
