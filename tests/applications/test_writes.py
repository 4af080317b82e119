"""What is written to any model, by whomever, has the end that it has in Odoo; nothing of it is kept on either side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from odoo.exceptions import AccessError, RedirectWarning, UserError  # noqa: TID251  what Odoo refuses
from werkzeug.test import TestResponse

from app.definitions.definition import Exposure
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests.applications import odoo_rows
from tests.applications.conftest import USERS, WRITE, AsUser, Sight
from tests.http.conftest import Client

Sights = Callable[[str], dict[str, Sight]]
#: Simple values that are written, by type: a value of each that no record has.
VALUES: dict[str, Any] = {"char": "Written", "integer": 7, "float": 7.5, "date": "2026-02-03", "text": "Written\ntoo"}
#: Ends of a write. ``refused`` is by rights or rules, ``rejected`` by Odoo's own logic or a constraint.
DONE, REFUSED, REJECTED, BROKEN = "done", "refused", "rejected", "broken"


@pytest.fixture(scope="module")
def exposures(app: Gatehouse) -> dict[str, Exposure]:
    """What can be written, by model."""
    (definition,) = (d for d in app.services.catalog.snapshot.definitions.values() if d.name == "Trial")
    return {name: exposure for name, exposure in definition.exposures.items() if not exposure.read_only}


def outcome(env: Environment, work: Callable[[], Any]) -> tuple[str, Any]:
    """Return the end of what is done in Odoo, and what it gives."""
    try:
        with env.cr.savepoint():
            return DONE, work()
    except AccessError as error:
        return REFUSED, str(error)
    except (UserError, RedirectWarning, psycopg2.Error) as error:
        return REJECTED, str(error)
    except Exception as error:  # noqa: BLE001  whatever a model does with values that it does not expect
        return BROKEN, repr(error)


def answered(answer: TestResponse) -> tuple[str, Any]:
    """Return the end of a call, and its result or error."""
    if answer.status_code in (403, 404) or answer.json.get("error", {}).get("data", {}).get("name") == "unknown_field":
        return REFUSED, answer.text
    if answer.status_code == 500:
        return BROKEN, answer.text
    if answer.status_code != 200 or "error" in answer.json:
        return REJECTED, answer.text
    return DONE, answer.json["result"]


@pytest.mark.parametrize("login", USERS)
def test_an_update_of_any_model_ends_as_in_odoo(
    login: str, clients: dict[str, Client], as_user: AsUser, sights: Sights, exposures: dict[str, Exposure]
) -> None:
    wrong = {}
    for model, exposure in exposures.items():
        sight = sights(login)[model]
        values = simple_values(exposure)
        if not sight.visible or not values:
            continue
        record_id = sight.visible[0]

        def write(env: Environment, model: str = model, record_id: int = record_id, values: Any = values) -> Any:
            record = env[model].browse(record_id)

            def work() -> Any:
                writable(record, values)
                record.write(dict(values))
                env.flush_all()
                return shown(record, values)

            return outcome(env, work)

        theirs = as_user(login, write)
        ours = answered(
            clients[login]("PATCH", f"{WRITE}/{model}/{record_id}", json=values, query_string=asked(values))
        )
        wrong[model] = difference(ours, theirs)
    assert {model: what for model, what in wrong.items() if what} == {}


@pytest.mark.parametrize("login", USERS)
def test_a_record_of_any_model_is_created_as_in_odoo(
    login: str, clients: dict[str, Client], as_user: AsUser, exposures: dict[str, Exposure]
) -> None:
    wrong = {}
    for model, exposure in exposures.items():
        values = simple_values(exposure, required=True) or simple_values(exposure)

        def create(env: Environment, model: str = model, values: Any = values) -> Any:
            def work() -> Any:
                writable(env[model], values)
                record = env[model].create(dict(values))
                env.flush_all()
                return shown(record, values)

            return outcome(env, work)

        theirs = as_user(login, create)
        ours = answered(clients[login]("POST", f"{WRITE}/{model}", json=values, query_string=asked(values)))
        wrong[model] = difference(ours, theirs)
    assert {model: what for model, what in wrong.items() if what} == {}


@pytest.mark.parametrize("login", USERS)
def test_a_deletion_in_any_model_ends_as_in_odoo(
    login: str, clients: dict[str, Client], as_user: AsUser, sights: Sights, exposures: dict[str, Exposure]
) -> None:
    wrong = {}
    for model in exposures:
        if visible := sights(login)[model].visible:

            def unlink(env: Environment, model: str = model, record_id: int = visible[-1]) -> Any:
                return outcome(env, lambda: env[model].browse(record_id).unlink() and env.flush_all())

            theirs = as_user(login, unlink)
            ours = answered(clients[login]("DELETE", f"{WRITE}/{model}/{visible[-1]}"))
            wrong[model] = (ours, theirs) if ours[0] != theirs[0] else None
    assert {model: what for model, what in wrong.items() if what} == {}


def asked(values: dict[str, Any]) -> dict[str, str]:
    """Return the parameters with which an answer shows no more than what was written."""
    return {"fields": ",".join(values) or "id"}


def simple_values(exposure: Exposure, *, required: bool = False) -> dict[str, Any]:
    """Return values for up to three fields, each of another type; of ``required`` ones, for all."""
    values: dict[str, Any] = {}
    types = set()
    for name in sorted(exposure.writable_fields):
        info = exposure.node.fields[name]
        if info.stored and info.type in VALUES and (info.required if required else info.type not in types):
            values[name] = VALUES[info.type][: info.size] if info.type == "char" else VALUES[info.type]
            types.add(info.type)
    return values if required else dict(list(values.items())[:3])


def writable(record: Any, values: dict[str, Any]) -> None:
    """Raise AccessError for a field that Odoo keeps from the user, as ``fields: all`` leaves it out."""
    for name in values:
        record._check_field_access(record._fields[name], "write")
        record._check_field_access(record._fields[name], "read")


def shown(record: Any, values: dict[str, Any]) -> Any:
    """Return the values after the write; None of a record that its writer no longer sees."""
    try:
        (row,) = odoo_rows.read(record, values)
    except AccessError:
        return None
    return {name: row[name] for name in values}


def difference(ours: tuple[str, Any], theirs: tuple[str, Any]) -> Any:
    """Return both ends where they differ, or the values that do."""
    if ours[0] != theirs[0] or ours[0] != DONE:
        return (ours, theirs) if ours[0] != theirs[0] else None
    if theirs[1] is None:
        return None if ours[1].keys() == {"id", "visible"} else (ours, theirs)
    return {name: (ours[1].get(name), value) for name, value in theirs[1].items() if ours[1].get(name) != value} or None
