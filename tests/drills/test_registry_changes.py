"""Fields that come and go in Odoo while calls run: the registry and the definitions change together."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent

import pytest
import requests
import yaml

from app.definitions.secrets import is_secret_model
from dev.testbed import Testbed
from tests.server.conftest import Server, in_odoo, serving, wait_until
from tests.server.load import Load
from tests.server.odoo_shell import OdooShell
from tests.server.workers import ask_each

pytestmark = [pytest.mark.live, pytest.mark.alone]

#: Makes a field and takes it away again, as Odoo's own processes do, and again where a deadlock with a call stops it.
_COME_AND_GO = """
import time
from psycopg2.errors import DeadlockDetected

def make(model):
    env["ir.model.fields"].create(
        {{"name": "x_passing", "model_id": env["ir.model"]._get(model).id, "ttype": "char", "state": "manual"}}
    )

def remove(model):
    env["ir.model.fields"].search([("name", "=", "x_passing"), ("model", "=", model)]).unlink()

def do(step, model):
    while True:
        try:
            step(model)
            cr.commit()
            registry.signal_changes()
            return
        except DeadlockDetected:
            cr.rollback()
            env.transaction.reset()
            registry.reset_changes()

for _ in range({times}):
    for step in (make, remove):
        for model in ("test.record", "res.partner"):
            do(step, model)
            time.sleep({pause})
"""


_MAKE_NAMED = """
env["ir.model.fields"].create({"name": "x_named", "model_id": env["ir.model"]._get("test.record").id, "ttype": "char"})
---
env["ir.model.fields"].search([("name", "=", "x_named")]).unlink()
"""


@pytest.fixture(scope="module")
def changing(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: its database changes."""
    folder = tmp_path_factory.mktemp("changing")
    with serving(testbed, "gatehouse_changing", folder / "gunicorn.log") as server:
        yield server


@pytest.fixture
def everything(changing: Server, tmp_path: Path) -> str:
    """The address of an API of all fields of a model, known to both workers."""
    apis = [
        {"route": "/api/everything", "name": "Everything", "models": [{"model": "test.record", "fields": "all"}]},
        {"route": "/api/all-partners", "name": "All", "models": [{"model": "res.partner", "fields": "all"}]},
    ]
    define(changing, tmp_path / "apis.yaml", apis)
    wait_for_all_workers(changing, "/api/everything")
    return f"{changing.url}/api/everything"


def define(server: Server, path: Path, apis: list[dict[str, object]]) -> None:
    """Import definitions from a file."""
    path.write_text(yaml.safe_dump({"apis": [{"published": True, **api} for api in apis]}))
    server.flask("api", "import", str(path))


def wait_for_all_workers(server: Server, path: str) -> None:
    """Return once all workers serve a path."""
    cookie = f"session_id={server.session().cookies['session_id']}"
    wait_until(lambda: ask_each(server, path, Cookie=cookie) == {200}, 60)


def callers(session: requests.Session, calls: list[tuple[str, str, object]]) -> Load[requests.Response]:
    """Return clients, two for each call, with a connection of their own."""

    def client(method: str, url: str, body: object) -> Callable[[], requests.Response]:
        own = requests.Session()
        own.cookies = session.cookies
        return lambda: own.request(method, url, json=body, timeout=60)

    return Load([client(*call) for call in calls for _ in range(2)])


def wrong(load: Load[requests.Response], allowed: set[int]) -> list[str]:
    """Return what calls have given that they may not."""
    return [
        f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:300]}"
        for answer in load.since(0)
        if answer.status_code not in allowed or (answer.status_code == 200 and "error" in answer.json())
    ]


def test_no_call_fails_while_fields_come_and_go(testbed: Testbed, changing: Server, everything: str) -> None:
    session = changing.session()
    created = session.post(everything, json={"name": "kept"}).json()["result"]
    calls: list[tuple[str, str, object]] = [
        ("GET", everything, None),
        ("GET", f"{everything}/{created['id']}", None),
        ("POST", everything, {"name": "made meanwhile"}),
        ("GET", f"{changing.url}/api/all-partners?limit=5", None),
    ]
    with callers(session, calls) as load:
        in_odoo(testbed, changing.database, indent(_COME_AND_GO.format(times=4, pause=0.5), "    ").strip())
    assert wrong(load, {200}) == []
    assert len(load.answers) > 20


def test_an_api_that_names_a_field_is_out_of_service_without_it_and_fails_no_call(
    testbed: Testbed, changing: Server, everything: str, tmp_path: Path
) -> None:
    make, remove = _MAKE_NAMED.split("---")
    in_odoo(testbed, changing.database, make.strip())
    fields = ["name", "x_named"]
    named = {"route": "/api/named", "name": "Named", "models": [{"model": "test.record", "fields": fields}]}
    define(changing, tmp_path / "named.yaml", [named])
    session = changing.session()
    address = f"{changing.url}/api/named"
    wait_for_all_workers(changing, "/api/named")
    with callers(session, [("GET", address, None), ("POST", address, {"name": "made"})]) as load:
        in_odoo(testbed, changing.database, remove.strip())
        wait_until(lambda: session.get(address).status_code == 503, 30)
        assert session.get(address).json()["error"]["data"]["name"] == "definition_broken"
        assert session.get(everything).status_code == 200
    assert wrong(load, {200, 503}) == []


_LATE = 'env["ir.model.fields"].search([("name", "=", "x_late")])'
_MAKE_LATE = """
model = env["ir.model"]._get("test.record")
env["ir.model.fields"].create({"name": "x_late", "model_id": model.id, "ttype": "char"})
"""


def test_with_200_apis_of_all_fields_a_field_comes_and_goes_within_a_second(
    testbed: Testbed, changing: Server, everything: str, tmp_path: Path
) -> None:
    session = changing.session()
    session.post(everything, json={"name": "kept"})
    shell = OdooShell(testbed, changing.database, tmp_path / "shell.log")
    models = shell.do('found = [name for name, model in env.items() if not model._abstract and name[:3] != "ir."]')
    names = [name for name in sorted(models) if not is_secret_model(name)]
    apis: list[dict[str, object]] = [
        {"route": f"/api/all-{number}", "name": f"All {number}", "models": [{"model": name, "fields": "all"}]}
        for number, name in enumerate(itertools.islice(itertools.cycle(names), 198))
    ]
    define(changing, tmp_path / "many.yaml", apis)
    wait_for_all_workers(changing, "/api/all-197")

    def shows_it() -> bool:
        answer = requests.get(f"{everything}?limit=1", cookies=session.cookies, timeout=30)  # on its own connection
        assert answer.status_code == 200, answer.text
        return "x_late" in answer.json()["result"]["records"][0]

    for statement, there in ((_MAKE_LATE, True), (f"{_LATE}.unlink()", False)) * 2:
        shell.do(statement)
        time.sleep(1)  # the time that the contract gives
        assert [shows_it() for _ in range(20)] == [there] * 20
    shell.end()
