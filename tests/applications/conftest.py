"""Odoo's applications, users with few and many rights, and all models behind one API.

The database is a copy of a template of its own, with sale, project, crm, hr, account and stock; it is made when these
tests first run, and kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.catalog import migrating
from app.config import from_environment
from app.definitions.compiler import can_be_exposed
from app.definitions.document import ApiDocument
from app.definitions.secrets import is_secret_model
from app.factory import create_app
from app.policy import context
from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import introspect, users
from odoo_bridge.transaction import Environment, act_as
from tests import stored_apis
from tests.applications import odoo_rows
from tests.http.conftest import PASSWORD, Client

AsUser = Callable[..., Any]

#: Login, groups, and whether the user is of another company.
USERS: dict[str, tuple[list[str], bool]] = {
    "admin": ([], False),
    "salesperson": (["base.group_user", "sales_team.group_sale_salesman"], False),
    "employee": (["base.group_user"], False),
    "elsewhere": (
        ["base.group_user", "sales_team.group_sale_manager", "project.group_project_manager", "hr.group_hr_manager",
         "stock.group_stock_manager", "account.group_account_manager"],
        True,
    ),
    "portal": ([], False),
}  # fmt: skip
READ, WRITE = "/api/all", "/api/trial"
#: Models without a list of their records: Odoo refuses to search them.
UNLISTED = {"account.root": "has texts as ids", "account.code.mapping": "is there for the chart of accounts alone"}


#: Users whose eyes the short form looks through: one with few rights, and one of another company.
_SHORT = ("salesperson", "elsewhere")


def pytest_addoption(parser: pytest.Parser) -> None:
    help_ = "the differential tests look at more of each model, and as each user"
    parser.addoption("--every-record", action="store_true", help=help_)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep these tests from the processes of other databases; leave users out but with ``--every-record``."""
    for item in filter(_is_one_of_ours, items):
        item.add_marker(pytest.mark.alone)
    if config.getoption("--every-record", default=False):
        return
    left_out = [item for item in items if _is_for_the_long_form(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_one_of_ours(item: pytest.Item) -> bool:
    return item.path.parent == Path(__file__).parent


def _is_for_the_long_form(item: pytest.Item) -> bool:
    if not _is_one_of_ours(item) or item.path.stem in ("test_chatter", "test_known"):
        return False
    return getattr(item, "callspec").params["login"] not in _SHORT  # noqa: B009  not all items have one


@dataclass(frozen=True)
class Extent:
    """How many records of a model are looked at."""

    one_by_one: int
    together: int
    pages: int


@pytest.fixture(scope="session")
def extent(request: pytest.FixtureRequest) -> Extent:
    """All models in any case; more of their records with ``--every-record``."""
    return Extent(10, 80, 40) if request.config.getoption("--every-record", default=False) else Extent(1, 4, 3)


@pytest.fixture(scope="session")
def database(testbed: Testbed) -> Iterator[str]:
    """The name of a database with Odoo's applications."""
    name = f"gatehouse_applications_{os.getpid()}"
    testbed.clone(name, template=testbed.applications())
    yield name
    testbed.drop(name)


@pytest.fixture(scope="session")
def app(testbed: Testbed, database: str) -> Iterator[Gatehouse]:
    """The application on that database: one API over all models, and one that keeps nothing of what is written."""
    app = create_app(from_environment(testbed.environment(database)))
    migrating.upgrade(app.services.database)
    app.services.transactions.run(_make_users)
    models = app.services.transactions.run(_exposable, keep=False)
    entries = [{"model": model, "fields": "all"} for model in models]
    common = {"published": True, "id_obfuscation": False, "models": entries, "statistics": False}
    for name, keys in (("All", {"route": READ}), ("Trial", {"route": WRITE, "mode": "test"})):
        document = ApiDocument.model_validate({"name": name, **common, **keys})
        stored_apis.write(app, [document.model_dump(mode="json")])
    app.services.catalog.refresh()
    assert [d.problems for d in app.services.catalog.snapshot.definitions.values() if d.problems] == []
    yield app
    app.services.recorder.stop()
    app.services.catalog.stop()


def _make_users(root: Environment) -> None:
    company = root["res.company"].create({"name": "Elsewhere"})
    for login, (groups, abroad) in USERS.items():
        if groups:
            values = {"name": login.title(), "login": login, "password": PASSWORD,
                      "group_ids": [(6, 0, [root.ref(group).id for group in groups])]}  # fmt: skip
            if abroad:
                values |= {"company_id": company.id, "company_ids": [(6, 0, [company.id])]}
            root["res.users"].create(values)


def _exposable(root: Environment) -> list[str]:
    return [
        name
        for name in sorted(root.registry)
        if not is_secret_model(name) and (info := introspect.describe(root, name)) and not info.abstract
    ]


@pytest.fixture(scope="session")
def clients(app: Gatehouse, database: str) -> dict[str, Client]:
    """Logged-in callers by login."""
    found = {}
    for login, (groups, _) in USERS.items():
        found[login] = Client(app)
        found[login].log_in(database, login, PASSWORD if groups else login)
    return found


@pytest.fixture(scope="session")
def as_user(app: Gatehouse) -> AsUser:
    """Run a function with an environment like that in which Gatehouse works for a user; nothing of it is kept."""

    def run(login: str, work: Callable[[Environment], Any]) -> Any:
        def within(root: Environment) -> Any:
            uid = root["res.users"].search([("login", "=", login)]).id
            own = context.build(users.own_context(root, uid), None, None, None)
            return work(act_as(root, uid, own))

        return app.services.transactions.run(within, keep=False)

    return run


@pytest.fixture(scope="session")
def exposed(app: Gatehouse) -> dict[str, tuple[str, ...]]:
    """The fields of each model that the API can show."""
    (definition,) = (d for d in app.services.catalog.snapshot.definitions.values() if d.name == "All")
    for exposure in definition.exposures.values():
        assert all(can_be_exposed(exposure.node.model, name) for name in exposure.node.fields)
    return {name: tuple(exposure.node.fields) for name, exposure in definition.exposures.items()}


@dataclass(frozen=True)
class Sight:
    """Some ids of a model, and those of them that Odoo's ``read`` gives the user."""

    ids: list[int]
    visible: list[int]

    @property
    def hidden(self) -> list[int]:
        """Those that it does not give."""
        return [record_id for record_id in self.ids if record_id not in self.visible]


@pytest.fixture(scope="session")
def sights(as_user: AsUser, exposed: dict[str, tuple[str, ...]], extent: Extent) -> Callable[[str], dict[str, Sight]]:
    """What a user sees of each model."""

    def look(env: Environment, model: str) -> Sight:
        ids = _some_ids(env, model, extent)
        return Sight(ids, [record_id for record_id in ids if odoo_rows.can_be_read(env[model].browse(record_id))])

    return cache(lambda login: as_user(login, lambda env: {model: look(env, model) for model in exposed}))


def _some_ids(env: Environment, model: str, extent: Extent) -> list[int]:
    """Return ids of a model, spread over all of its records, those that the user can't see too.

    Without negative ones, which some reports give to rows that have no id; no API can name those.
    """
    if model in UNLISTED:
        return []
    ids = env[model].sudo().with_context(active_test=False).search([("id", ">", 0)], order="id").ids
    return ids[:: max(1, len(ids) // extent.together)][: extent.together]
