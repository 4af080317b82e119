"""Fixtures for all tests: one Odoo database for those in this process, made from the template."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import hypothesis
import psycopg2
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from dev import testbed as dev_testbed
from dev.errors import SetupError
from dev.testbed import Testbed
from dev.tests import only_units

if TYPE_CHECKING:
    from app.web.routing import Gatehouse
    from odoo_bridge.transaction import Environment


def _bring_odoo() -> None:
    """Put Odoo's source where ``odoo_bridge`` looks for it: before any test module imports it."""
    try:
        source = dev_testbed.prepare().odoo_source
    except SetupError as error:
        pytest.exit(str(error), returncode=3)
    if source is not None:
        os.environ["GATEHOUSE_ODOO_SOURCE"] = str(source)


# ``tests/unit`` by itself needs neither Odoo nor PostgreSQL. The processes of ``-n`` inherit what was found.
if "PYTEST_XDIST_WORKER" not in os.environ and not only_units(sys.argv[1:]):
    _bring_odoo()

# The same examples in every run: a red build is about the change. HYPOTHESIS_PROFILE=long has many times as many, and
# explore looks for new ones.
_FIXED: dict[str, Any] = {"derandomize": True, "database": None, "print_blob": False}
hypothesis.settings.register_profile("fixed", **_FIXED, max_examples=25)
hypothesis.settings.register_profile("long", **_FIXED, max_examples=200, deadline=None)
hypothesis.settings.register_profile("explore", print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

#: What those send who may see how the server does.
OPERATOR = {"Authorization": "Bearer an ops person's token"}


#: Folders whose tests share what takes a minute to make.
_WHOLE = ("addon", "applications", "deploy")


class ByFile(LoadScopeScheduling):
    """Gives each process of ``-n`` whole files, and of some folders all."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        return path.parent.name if path.parent.name in _WHOLE else str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Share the tests out so; pytest-xdist 3.8's own ``loadgroup`` splits what belongs together with pytest 9.2."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def testbed() -> Testbed:
    """The running PostgreSQL and the template database."""
    return dev_testbed.prepare()


@pytest.fixture(scope="session")
def database(testbed: Testbed) -> Iterator[str]:
    """The name of the database that the tests of this process share."""
    name = f"gatehouse_test_{os.getpid()}"
    testbed.clone(name)
    yield name
    testbed.drop(name)


@pytest.fixture
def sql(testbed: Testbed, database: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL on a connection of its own: it sees what was committed, and nothing else."""
    connection = psycopg2.connect(testbed.dsn(database))
    connection.autocommit = True

    def run(statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


@pytest.fixture(scope="session")
def app(testbed: Testbed, database: str) -> Iterator[Gatehouse]:
    """The application on the tests' database."""
    from app.catalog import migrating
    from app.config import from_environment
    from app.factory import create_app

    others = {"GATEHOUSE_MAX_BODY_SIZE": "2000000", "GATEHOUSE_METRICS_TOKEN": "an ops person's token"}
    others["GATEHOUSE_SIGNALING_INTERVAL"] = "0"  # what a test changes by itself is known to the next call
    others["GATEHOUSE_WEBHOOK_NETWORKS"] = "127.0.0.0/8"  # where tests receive
    others["GATEHOUSE_METADATA_NETWORKS"] = "127.0.0.0/8"  # where clients of tests describe themselves
    app = create_app(from_environment({**testbed.environment(database), **others}))
    migrating.upgrade(app.services.database)
    yield app
    app.services.recorder.stop()
    app.services.catalog.stop()


@pytest.fixture
def all_pieces(app: Gatehouse) -> Iterator[None]:
    """Use all fast pieces, whatever GATEHOUSE_FAST says of other tests."""
    from odoo_bridge import fast

    fast.switch(on=True)
    yield
    fast.switch(on=app.services.settings.fast == "on")


@pytest.fixture
def root(app: Gatehouse) -> Callable[..., Any]:
    """Run a function with a superuser's environment, in a transaction of its own that is committed."""

    def run(work: Callable[[Environment], Any]) -> Any:
        return app.services.transactions.run(work)

    return run
