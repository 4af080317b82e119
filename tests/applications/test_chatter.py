"""An API with ``chatter: false`` over applications whose records have much to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests import stored_apis
from tests.http.conftest import Client
from tests.row_counts import CHATTER, FOLLOWERS, MESSAGES, NOTIFICATIONS, Sql, gained

ENTRIES = [
    {"model": "crm.lead", "fields": ["name", "user_id", "stage_id"]},
    {"model": "project.task", "fields": ["name", "project_id", "user_ids", "partner_id"]},
]
#: Methods that plan an activity on a lead, and post a message about a task.
METHODS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "plan": ("crm.lead", "activity_schedule", ("act_type_xmlid", "date_deadline", "summary", "note", "**act_values")),
    "post": ("project.task", "message_post", ("*args", "body", "message_type", "**kwargs")),
}


def _documents(route: str, *, chatter: bool) -> Iterator[ApiDocument]:
    common = {"published": True, "id_obfuscation": False, "chatter": chatter}
    apis: dict[str, dict[str, Any]] = {"records": {"models": ENTRIES}}
    for name, (model, method, arguments) in METHODS.items():
        declared = dict.fromkeys(arguments, "harmless")
        apis[name] = {"type": "rpc", "models": [{"model": model}], "method": method, "arguments": declared}
    for name, keys in apis.items():
        yield ApiDocument.model_validate({"name": f"{route}/{name}", "route": f"{route}/{name}", **common, **keys})


@pytest.fixture(scope="module")
def routes(app: Gatehouse) -> Iterator[dict[bool, str]]:
    """APIs over leads, tasks and two methods, with chatter and without: where the routes of either begin."""
    found = {True: "/api/usual", False: "/api/quiet"}
    documents = [document for chatter, route in found.items() for document in _documents(route, chatter=chatter)]
    stored_apis.write(app, [document.model_dump(mode="json") for document in documents])
    app.services.catalog.refresh()
    assert [d.problems for d in app.services.catalog.snapshot.definitions.values() if d.problems] == []
    yield found
    stored_apis.delete(app, [document.name for document in documents])
    app.services.catalog.refresh()


@pytest.fixture(scope="module")
def ids(app: Gatehouse) -> dict[str, int]:
    """Ids: of a user who is told within Odoo of what they get, and of records that others belong to."""

    def make(root: Environment) -> dict[str, int]:
        groups = [root.ref(name).id for name in ("sales_team.group_sale_salesman", "project.group_project_user")]
        values = {"name": "In Charge", "login": "in charge", "notification_type": "inbox", "group_ids": groups}
        project = root["project.project"].create({"name": "Chatter"})
        customer = root["res.partner"].create({"name": "Customer"})
        return {
            "user": root["res.users"].create(values).id,
            "stage": root["crm.stage"].search([], limit=1, order="id desc").id,
            "project": project.id,
            "customer": customer.id,
        }

    found: dict[str, int] = app.services.transactions.run(make)
    return found


def _lead(admin: Client, route: str, ids: dict[str, int]) -> Callable[[], Any]:
    """Create a lead that somebody else is in charge of, and take it to another stage."""

    def write() -> None:
        made = admin.result("POST", f"{route}/records/crm.lead", json={"name": "New", "user_id": ids["user"]})
        admin.result("PATCH", f"{route}/records/crm.lead/{made['id']}", json={"stage_id": ids["stage"]})

    return write


def _task(admin: Client, route: str, ids: dict[str, int]) -> Callable[[], Any]:
    """Create a task for somebody else."""
    values = {"name": "New", "project_id": ids["project"], "user_ids": [ids["user"]]}
    return lambda: admin.result("POST", f"{route}/records/project.task", json=values)


def _activity(admin: Client, route: str, ids: dict[str, int]) -> Callable[[], Any]:
    """Plan an activity of somebody else's on a lead."""
    lead = admin.result("POST", f"{route}/records/crm.lead", json={"name": "New"})
    what = {"act_type_xmlid": "mail.mail_activity_data_call", "user_id": ids["user"]}
    return lambda: admin.result("POST", f"{route}/plan/{lead['id']}", json=what)


def _message(admin: Client, route: str, ids: dict[str, int]) -> Callable[[], Any]:
    """Write to a task's customer."""
    values = {"name": "New", "project_id": ids["project"], "partner_id": ids["customer"]}
    task = admin.result("POST", f"{route}/records/project.task", json=values)
    said = {"body": "Hello", "partner_ids": [ids["customer"]]}
    return lambda: admin.result("POST", f"{route}/post/{task['id']}", json=said)


#: Each kind of write: a preparation that returns it, and the tables that it fills with chatter and without.
#: Some addons make followers by themselves, past any key of the context, and a message is there to be sent.
WRITES: dict[str, tuple[Callable[..., Callable[[], Any]], set[str], set[str]]] = {
    "a lead": (_lead, set(CHATTER), set()),
    "a task": (_task, {MESSAGES, NOTIFICATIONS, FOLLOWERS}, {FOLLOWERS}),
    "an activity": (_activity, {MESSAGES, NOTIFICATIONS, FOLLOWERS}, {FOLLOWERS}),
    "a message": (_message, {MESSAGES, NOTIFICATIONS, FOLLOWERS}, {MESSAGES, NOTIFICATIONS}),
}


@pytest.mark.parametrize(("prepare", "usual", "quiet"), WRITES.values(), ids=WRITES)
def test_a_write_leaves_in_the_chatter_what_an_addon_puts_there_by_itself_alone(
    prepare: Callable[..., Callable[[], Any]],
    usual: set[str],
    quiet: set[str],
    routes: dict[bool, str],
    ids: dict[str, int],
    clients: dict[str, Client],
    sql: Sql,
) -> None:
    for chatter, traces in ((True, usual), (False, quiet)):
        _, gains = gained(sql, prepare(clients["admin"], routes[chatter], ids))
        assert gains.keys() & set(CHATTER) == traces
