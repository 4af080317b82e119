"""The domain parser against Odoo's: what it accepts, Odoo accepts too and means the same by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.errors import BadRequest
from app.literals import parse
from app.policy import domain as domain_policy
from app.web.routing import Gatehouse
from odoo_bridge import introspect, records
from odoo_bridge.transaction import Environment
from tests.extent import extent

FIELDS = [
    "name", "code", "notes", "body", "title", "count", "ratio", "amount", "flag", "day", "moment", "state", "document",
    "partner_id", "parent_id", "child_ids", "line_ids", "tag_ids", "target", "per_company", "active", "properties",
    "data",
]  # fmt: skip


@pytest.fixture(scope="module")
def definition(app: Gatehouse) -> Definition:
    """An API over every type of field, with plain ids: then a domain reads alike here and in Odoo."""
    document = ApiDocument.model_validate(
        {
            "name": "Domains", "route": "/api/domains", "id_obfuscation": False,
            "models": [
                {
                    "model": "test.record",
                    "fields": FIELDS,
                    "related": {"line_ids": ["name", "price"], "parent_id": ["name", "parent_id"], "tag_ids": ["name"]},
                }
            ],
        }
    )  # fmt: skip
    compiled = app.services.transactions.run(lambda root: compile_document(document, OdooSource(root, {})), keep=False)
    assert not compiled.problems
    app.services.transactions.run(_varied_records)
    return compiled


def _varied_records(root: Environment) -> None:
    """Records that differ in every field, so that a domain that means something else finds something else."""
    tags = root["test.tag"].create([{"name": name} for name in ("a", "b", "c")])
    parent = None
    for n in range(24):
        record = root["test.record"].create(
            {
                "name": "abc"[n % 3] * (n % 4) or "x",
                "notes": n % 2 and "a note",
                "count": n % 5,
                "ratio": n / 4,
                "flag": n % 2 == 0,
                "day": n % 3 and f"2026-0{n % 3}-01",
                "moment": n % 3 and f"2026-0{n % 3}-01 10:00:00",
                "state": (False, "draft", "done")[n % 3],
                "active": n % 7 != 0,
                "parent_id": parent if n % 4 else False,
                "partner_id": n % 3 and n % 40 + 1,
                "tag_ids": [(6, 0, tags[: n % 4].ids)],
                "line_ids": [(0, 0, {"name": "ab"[i % 2], "price": i}) for i in range(n % 3)],
                "target": n % 5 == 0 and f"test.tag,{tags[0].id}",
            }
        )
        parent = record.id


_scalar = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "a", "%", "draft", "2026-01-01", "2026-01-01T10:00:00Z", "2026-01-01 10:00:00", "test.tag,1"]),
)  # fmt: skip
_field = st.sampled_from(
    [*FIELDS, "id", "line_ids.name", "line_ids.price", "parent_id.name", "parent_id.parent_id", "tag_ids.name",
     "day.month_number", "moment.hour_number", "partner_id.id", "display_name", "parent_id.display_name", "nothing"]
)  # fmt: skip
_operator = st.sampled_from(
    ["=", "!=", "<>", "==", "in", "not in", "<", ">", "<=", ">=", "like", "not like", "ilike", "not ilike", "=like",
     "not =like", "=ilike", "not =ilike", "child_of", "parent_of", "=?"]
)  # fmt: skip
_any_leaf = st.tuples(_field, _operator, _scalar | st.lists(_scalar, max_size=3))
#: Conditions that fit the field's type, so that a good part of all domains is accepted.
_fitting_leaf = st.one_of(
    st.tuples(
        st.sampled_from(["name", "notes", "line_ids.name", "parent_id.name", "title"]), _operator, st.text(max_size=3)
    ),
    st.tuples(st.sampled_from(["count", "line_ids.price", "day.month_number", "id"]), _operator, st.integers(0, 9)),
    st.tuples(
        st.sampled_from(["parent_id", "child_ids", "tag_ids", "id", "partner_id"]), _operator, st.integers(1, 40)
    ),
    st.tuples(_field, st.sampled_from(["in", "not in"]), st.lists(st.integers(1, 40), max_size=3)),
    st.tuples(_field, st.sampled_from(["=", "!="]), st.just(False)),
    st.tuples(st.sampled_from(["day", "moment"]), _operator, st.sampled_from(["2026-01-01", "2026-01-01T10:00:00Z"])),
)
_leaf = _fitting_leaf | _fitting_leaf | _any_leaf
_nested = st.tuples(
    st.sampled_from(["line_ids", "parent_id", "tag_ids", "child_ids", "name", "partner_id"]),
    st.sampled_from(["any", "not any"]),
    st.lists(_leaf, max_size=1),
)
_domain = st.one_of(
    st.lists(_leaf | _nested, min_size=1, max_size=2),
    st.tuples(st.sampled_from(["|", "&"]), _leaf, _leaf | _nested).map(list),
    st.tuples(st.just("!"), _leaf | _nested).map(list),
    st.lists(_leaf | st.sampled_from(["&", "|", "!"]), max_size=5),
)


def _in_odoos_words(domain: Any) -> Any:
    """Return the client's domain as Odoo writes it: no T and Z in datetimes, False for null."""
    if isinstance(domain, (list, tuple)):
        return type(domain)(_in_odoos_words(item) for item in domain)
    if domain is None:
        return False
    return "2026-01-01 10:00:00" if domain == "2026-01-01T10:00:00Z" else domain


@settings(max_examples=extent(150, 2_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=_domain)
def test_what_is_accepted_means_the_same_to_odoo(source: list[Any], definition: Definition, app: Gatehouse) -> None:
    node = definition.exposures["test.record"].searchable
    try:
        checked = domain_policy.check(json.dumps(source), node, definition.ids)
    except BadRequest:
        event("refused")
        return  # what is refused is a 400, and that is all it is

    event("accepted")

    def compare(root: Environment) -> None:
        assert introspect.domain_error(root, "test.record", checked) is None
        ours = records.visible(root, "test.record", list(range(1, 3000)), checked)
        theirs = records.visible(root, "test.record", list(range(1, 3000)), _in_odoos_words(source))
        assert ours == theirs, f"{checked} {source}"

    app.services.transactions.run(compare, keep=False)


@given(source=_domain)
def test_json_and_python_notation_mean_the_same(source: list[Any]) -> None:
    assert parse(json.dumps(source), "domain") == json.loads(json.dumps(parse(repr(source), "domain")))


@settings(max_examples=extent(100, 1_000))
@given(text=st.text(st.sampled_from("[]()'\",=&|!{}0x.-1eTrueNon \\\n"), max_size=60))
def test_any_text_is_a_value_or_a_400(text: str) -> None:
    try:
        parse(text, "domain")
    except BadRequest as error:
        assert error.message  # noqa: PT017  both outcomes are right; anything else fails the test


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "[x for x in [1]]",
        "lambda: 1",
        "open('/etc/passwd')",
        "[('a','=',1)]*9",
        "f'{1}'",
        "1+1+1",
    ],
)
def test_nothing_is_evaluated(text: str, definition: Definition) -> None:
    with pytest.raises(BadRequest):
        domain_policy.check(text, definition.exposures["test.record"].searchable, definition.ids)


def test_ids_are_decoded_wherever_they_stand(app: Gatehouse, root: Callable[..., Any]) -> None:
    document = ApiDocument.model_validate(
        {
            "name": "Obfuscated", "route": "/api/obfuscated",
            "models": [
                {
                    "model": "test.record",
                    "fields": ["parent_id", "tag_ids", "line_ids", "target"],
                    "related": {"parent_id": ["name", "parent_id"], "line_ids": ["tag_id"]},
                }
            ],
        }
    )  # fmt: skip
    compiled = root(lambda env: compile_document(document, OdooSource(env, {}), salt="salt"))
    record, tag = (compiled.ids.of(model).encode(7) for model in ("test.record", "test.tag"))
    node = compiled.exposures["test.record"].searchable
    source = [
        ["id", "=", record], ["id", "in", [record]], ["id", ">", 0], ["parent_id", "=", record],
        ["tag_ids", "in", [tag]], ["id", "child_of", record], ["parent_id", "child_of", [record]],
        ["target", "=", f"test.tag,{tag}"], ["line_ids.tag_id", "=", tag],
        ["line_ids", "any", [["tag_id", "!=", tag]]], ["parent_id.id", "=", record],
    ]  # fmt: skip
    assert domain_policy.check(source, node, compiled.ids) == [
        ("id", "=", 7), ("id", "in", [7]), ("id", ">", 0), ("parent_id", "=", 7), ("tag_ids", "in", [7]),
        ("id", "child_of", [7]), ("parent_id", "child_of", [7]), ("target", "=", "test.tag,7"),
        ("line_ids.tag_id", "=", 7), ("line_ids", "any", [("tag_id", "!=", 7)]), ("parent_id.id", "=", 7),
    ]  # fmt: skip
    for wrong in (7, "7", tag, True, -1, record + "x", [record]):
        with pytest.raises(BadRequest):
            domain_policy.check([["id", "=", wrong]], node, compiled.ids)
