"""Domains that Odoo refuses, by whatever exception, are 400; what fails beside them is what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odoo.exceptions import AccessError, MissingError, UserError  # noqa: TID251  what Odoo's code raises
from odoo.fields import Domain  # noqa: TID251
from odoo.modules.registry import Registry  # noqa: TID251  whose fields are broken here
from odoo.tools import SQL  # noqa: TID251
from psycopg2 import errors as pg

from app.web.routing import Gatehouse
from tests.extent import extent
from tests.http.conftest import Client, Publish, Root

SECRET = "a secret of the inside"


@pytest.fixture
def search_raises(app: Gatehouse, database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Let the search by test.record's ``partner_email`` raise an exception, or return what is no exception."""
    field = Registry(database)["test.record"]._fields["partner_email"]

    def run(outcome: Any) -> None:
        def search(records: Any, operator: str, value: Any) -> Any:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(field, "search", search)

    return run


_DOMAIN = json.dumps([["partner_email", "=", "x"]])


@pytest.mark.parametrize(
    "outcome",
    [
        KeyError(SECRET),
        IndexError(SECRET),
        AttributeError(SECRET),
        TypeError(SECRET),
        ValueError(SECRET),
        AssertionError(SECRET),
        ZeroDivisionError(SECRET),
        RecursionError(SECRET),
        RuntimeError(SECRET),
        re.error(SECRET),
        MissingError(SECRET),
        StopIteration(SECRET),
        [("no_such_field", "=", SECRET)],
        [(SECRET,)],
        None,
        5,
    ],
    ids=lambda outcome: type(outcome).__name__,
)
@pytest.mark.parametrize("count", ["exact", "none"])
def test_a_domain_that_odoo_refuses_is_400_and_shows_nothing_of_the_inside(
    outcome: Any, count: str, demo: Client, publish: Publish, search_raises: Callable[[Any], None]
) -> None:
    route = publish(fields=["name", "partner_email"])
    search_raises(outcome)
    status, error = demo.error("GET", route, query_string={"domain": _DOMAIN, "count": count})
    assert (status, error["data"]["name"]) == (400, "invalid_domain")
    assert "condition" in error["message"]
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize("outcome", [UserError("Only = is taken."), NotImplementedError("Only = is taken.")])
def test_what_odoo_says_against_a_domain_is_told(
    outcome: Exception, demo: Client, publish: Publish, search_raises: Callable[[Any], None]
) -> None:
    route = publish(fields=["name", "partner_email"])
    search_raises(outcome)
    status, error = demo.error("GET", route, query_string={"domain": _DOMAIN})
    assert (status, error["data"]["name"]) == (400, "invalid_domain")
    assert "Only = is taken." in error["message"]


@pytest.mark.parametrize(
    "condition",
    [SQL("name = 5"), SQL("name @@ 5"), SQL("name = %s", {"a": 1}), SQL("count = 99999999999 * 99999999999")],
)
def test_a_domain_that_postgresql_refuses_is_400(
    condition: SQL, demo: Client, publish: Publish, search_raises: Callable[[Any], None]
) -> None:
    route = publish(fields=["name", "partner_email"])
    search_raises(Domain.custom(to_sql=lambda model, alias, query: condition))
    assert demo.refusal("GET", route, query_string={"domain": _DOMAIN}) == (400, "invalid_domain")


@pytest.mark.parametrize("path", ["/{id}", "/bulk?ids={id}"])
def test_a_definitions_domain_that_odoo_refuses_later_on_is_400_for_reads_too(
    path: str, demo: Client, publish: Publish, root: Root, search_raises: Callable[[Any], None]
) -> None:
    route = publish(fields=["name"], domain=[["partner_email", "!=", "x"]], id_obfuscation=False)
    (record,) = root(lambda env: env["test.record"].create({"name": "one"}).ids)
    search_raises(KeyError(SECRET))
    status, error = demo.error("GET", route + path.format(id=record))
    assert (status, error["data"]["name"]) == (400, "invalid_domain")
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize(
    ("outcome", "status", "name"),
    [
        (AccessError(SECRET), 403, "forbidden"),
        (psycopg2.DatabaseError("server closed the connection unexpectedly"), 503, "database_unavailable"),
        (pg.AdminShutdown(), 503, "database_unavailable"),
        (pg.QueryCanceled(), 503, "statement_timeout"),
        (pg.SerializationFailure(), 409, "conflict"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_rights_and_connections_are_not_the_domains_fault(
    outcome: Exception,
    status: int,
    name: str,
    demo: Client,
    publish: Publish,
    search_raises: Callable[[Any], None],
) -> None:
    route = publish(fields=["name", "partner_email"])
    search_raises(outcome)
    found, error = demo.error("GET", route, query_string={"domain": _DOMAIN})
    assert (found, error["data"]["name"]) == (status, name)


def test_a_record_rule_that_breaks_is_a_500_whatever_the_domain(
    demo: Client, publish: Publish, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Registry(database)["ir.rule"]
    plain = rules._compute_domain

    def broken(self: Any, model: str, mode: str = "read") -> Any:
        if model == "test.record":
            raise KeyError(SECRET)
        return plain(self, model, mode)

    monkeypatch.setattr(rules, "_compute_domain", broken)
    Registry(database).clear_cache()  # what was made of the rules before
    status, error = demo.error("GET", publish(), query_string={"domain": '[["name", "=", "rules"]]'})
    assert (status, error["data"]["name"]) == (500, "internal_error")
    assert error["data"]["request_id"] in error["message"]
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize(
    ("outcome", "status", "name"),
    [
        (AccessError(SECRET), 403, "forbidden"),
        (KeyError(SECRET), 500, "internal_error"),
        (ValueError(SECRET), 500, "internal_error"),
        (NotImplementedError(SECRET), 500, "internal_error"),
        (psycopg2.DatabaseError("server closed the connection unexpectedly"), 503, "database_unavailable"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@pytest.mark.parametrize("call", ["search", "read", "bulk", "create", "update"])
def test_what_a_computed_value_raises_is_not_the_domains_fault(
    call: str,
    outcome: Exception,
    status: int,
    name: str,
    demo: Client,
    publish: Publish,
    root: Root,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(records: Any) -> None:
        raise outcome

    (record,) = root(lambda env: env["test.record"].create({"name": "a computed value"}).ids)
    route = publish(fields=["name", "partner_email"], id_obfuscation=False)
    monkeypatch.setattr(Registry(database)["test.record"]._fields["partner_email"], "compute", broken)
    found, error = {
        "search": lambda: demo.error("GET", route, query_string={"domain": '[["name", "=", "a computed value"]]'}),
        "read": lambda: demo.error("GET", f"{route}/{record}"),
        "bulk": lambda: demo.error("GET", f"{route}/bulk?ids={record}"),
        "create": lambda: demo.error("POST", route, json={"name": "another"}),
        "update": lambda: demo.error("PATCH", f"{route}/{record}", json={"name": "a computed value"}),
    }[call]()
    assert (found, error["data"]["name"]) == (status, name)
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize("outcome", [KeyError("k"), ZeroDivisionError("z"), [("no_such_field", "=", 1)], None])
def test_a_definition_whose_domain_odoo_refuses_is_not_imported(
    outcome: Any, app: Gatehouse, tmp_path: Path, search_raises: Callable[[Any], None]
) -> None:
    file = tmp_path / "apis.yaml"
    file.write_text(
        "apis: [{name: Refused, route: /api/refused, models: [{model: test.record, fields: [name], "
        "domain: [[partner_email, '=', x]]}]}]"
    )
    search_raises(outcome)
    result = app.test_cli_runner().invoke(args=["api", "import", str(file)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert f"{file}: API 'Refused': models[0].domain: " in result.output
    assert "Refused" not in app.test_cli_runner().invoke(args=["api", "list"]).output


MODELS = [
    "res.partner", "res.users", "res.company", "res.country", "res.country.state", "res.currency", "res.lang",
    "res.groups", "res.partner.category", "res.bank", "product.template", "product.product", "product.category",
    "product.pricelist", "product.attribute", "uom.uom", "ir.model", "ir.model.fields", "test.record", "test.line",
]  # fmt: skip

_scalar = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.integers(-2, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(
        ["", "%", "_", "\\", "a'b", "2026-01-01", "2026-01-01T00:00:00Z", "today", "base.group_user", "[]"]
    )
)
_operators = st.sampled_from(
    [
        "=", "!=", "in", "not in", "like", "ilike", "=like", "=ilike", "not like", "not ilike", "<", ">", "<=", ">=",
        "child_of", "parent_of", "any", "not any", "=?",
    ]
)  # fmt: skip


def test_no_domain_over_any_model_is_a_500(admin: Client, publish: Publish, app: Gatehouse) -> None:
    fields: dict[str, list[str]] = {}
    for model in MODELS:
        route = publish(model, fields="all", id_obfuscation=False)
        (found,) = (
            each.exposures[model]
            for each in app.services.catalog.snapshot.definitions.values()
            if each.document.route == route
        )
        fields[route] = ["id", *(name for name, info in found.searchable.fields.items() if info.searchable)]

    @settings(
        max_examples=extent(120, 2_000),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        route = data.draw(st.sampled_from(list(fields)))
        condition = st.tuples(
            st.sampled_from(fields[route]), _operators, _scalar | st.lists(_scalar, max_size=3) | st.just([])
        )
        domain = data.draw(st.lists(condition | st.sampled_from(["&", "|", "!"]), min_size=1, max_size=4))
        answer = admin("GET", route, query_string={"domain": json.dumps(domain), "limit": 2, "fields": "id"})
        assert answer.status_code in (200, 400, 403), (domain, answer.text)

    run()
