"""Which statements are prepared, and as what."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from markupsafe import Markup
from psycopg2.extensions import AsIs
from psycopg2.extras import Json

from odoo_bridge.fast.prepared import Type, describe, name_of, preparable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "int4"),
        (-(2**31) + 1, "int4"),
        (-(2**31), "int8"),
        (2**31, "int8"),
        (2**31 - 1, "int4"),
        (True, "boolean"),
        (1.5, "numeric"),
        ("text", "unknown"),
        (Markup("<p>"), "unknown"),
        (None, "unknown"),
        (Json({}), "unknown"),
        (date(2026, 1, 2), "date"),
        (datetime(2026, 1, 2), "timestamp"),
        (datetime(2026, 1, 2, tzinfo=UTC), "timestamptz"),
        ([1, 2], "int4[]"),
        (["a"], "text[]"),
        ([], "unknown"),
    ],
)
def test_a_parameter_has_the_type_of_its_literal(value: Any, expected: Type) -> None:
    assert describe([value]) == ((expected,), [value])


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        float("nan"),
        float("inf"),
        b"bytes",
        {"a": 1},
        [1, "a"],
        [2**31],
        [None],
        (),
        (1, 2, 3, 4, 5, 6),
        (1, b"bytes"),
        ((1,), (2,)),
        AsIs("DEFAULT"),
        type("Text", (str,), {})("a"),
    ],
)
def test_a_value_whose_literal_may_be_of_any_type_is_sent_as_ever(value: Any) -> None:
    assert describe([value]) is None


def test_a_tuple_is_laid_flat() -> None:
    assert describe([1, (2, 3), "a"]) == (("int4", ("int4", "int4"), "unknown"), [1, 2, 3, "a"])


def test_a_long_row_of_mixed_values_is_prepared() -> None:
    assert describe([(1, "a", 2, "b", None, True, 3)]) is not None


@pytest.mark.parametrize(
    ("template", "types", "expected"),
    [
        ("SELECT a FROM t WHERE b = %s AND c = %s", ("int4", "unknown"), "SELECT a FROM t WHERE b = $1 AND c = $2"),
        (
            " update t SET a = %s WHERE b IN %s AND c = %s",
            ("int4", ("int4",) * 3, "int4"),
            " update t SET a = $1 WHERE b IN ($2, $3, $4) AND c = $5",
        ),
        ("SELECT a FROM t WHERE b LIKE 'x%%' LIMIT %s", ("int4",), "SELECT a FROM t WHERE b LIKE 'x%' LIMIT $1"),
        (
            "SELECT a FROM t WHERE b = %s ORDER BY c, d LIMIT %s",
            ("int4",) * 2,
            "SELECT a FROM t WHERE b = $1 ORDER BY c, d LIMIT $2",
        ),
    ],
)
def test_the_text_that_is_prepared(template: str, types: tuple[Type, ...], expected: str) -> None:
    assert preparable((template, types)) == expected


@pytest.mark.parametrize(
    "template",
    [
        "SELECT a FROM t WHERE b > now() - interval '%s days'",
        'SELECT a AS "%s" FROM t',
        "SELECT 'it''s', \"a'\" FROM t WHERE b = '%s'",
        "SELECT a FROM t ORDER BY %s",
        "SELECT a FROM t ORDER BY lower(a), %s",
        "SELECT a FROM t GROUP BY %s",
        "SELECT a FROM t WHERE b = %s; DELETE FROM t",
        "SELECT a -- %s\nFROM t",
        "SELECT a /* %s */ FROM t",
        "SELECT $$ %s $$",
        "SELECT E'\\' ' || %s",
        "SELECT a FROM t WHERE b = %(b)s",
        "SELECT a FROM t WHERE b = %s AND c = %s",
        "SELECT a FROM t",
        "SET LOCAL work_mem = %s",
        "NOTIFY a, %s",
        "COPY t FROM %s",
        "SELECT a FROM t WHERE b = %s AND c = 5%",
    ],
)
def test_a_text_that_might_mean_another_when_prepared_is_sent_as_ever(template: str) -> None:
    assert preparable((template, ("int4",))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (' UPDATE "res_partner" SET a = $1', "gatehouse_update_res_partner_"),
        ("INSERT INTO gatehouse.audit SELECT $1 FROM t", "gatehouse_insert_gatehouse_audit_"),
        ("SELECT a FROM only_the_first_letters_of_a_long_name", "gatehouse_select_only_the_first_letters_o_"),
        ("SELECT now() + $1", "gatehouse_select_nothing_"),
    ],
)
def test_the_name_tells_what_is_done_to_which_table(text: str, expected: str) -> None:
    assert re.fullmatch(expected + "[0-9a-f]{16}", name_of(text, ["int4"]))
    assert len(name_of(text, ["int4"])) < 64


def test_statements_that_differ_in_text_or_types_have_names_of_their_own() -> None:
    assert len({name_of(text, types) for text in ("SELECT $1", "SELECT  $1") for types in (["int4"], ["int8"])}) == 4
