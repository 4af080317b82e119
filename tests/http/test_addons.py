"""What calls see while the code of an addon is not the database's. Live servers show the rest: tests/server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from app.web.routing import Gatehouse
from odoo_bridge.addon_differences import Difference, Kind
from odoo_bridge.current_registry import Failure
from odoo_bridge.errors import BootError
from serving import renewal
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Publish
from tests.server.conftest import wait_until

Differ = Callable[..., None]


@pytest.fixture
def differ(app: Gatehouse) -> Iterator[Differ]:
    """Let the code of an addon differ from the database's."""
    code = app.services.transactions.current.code

    def set_kinds(*kinds: Kind) -> None:
        code.differences = tuple(Difference(f"a_secret_addon_{kind.value}", kind, "Why so.") for kind in kinds)

    yield set_kinds
    code.differences = ()


def names(client: Client, route: str) -> set[str]:
    """Return what all kinds of writes are answered with."""
    record = client.result("GET", route)["records"][0]["id"]
    calls = [
        ("POST", route, {"name": "x"}),
        ("POST", route, [{"name": "x"}]),
        ("PATCH", f"{route}/{record}", {"name": "x"}),
        ("DELETE", f"{route}/{record}", None),
    ]
    found = set()
    for method, path, body in calls:
        answer = client(method, path, **({"json": body} if body is not None else {}))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "a_secret_addon" not in answer.text
        found.add(answer.json["error"]["data"]["name"])
    return found


@pytest.mark.parametrize("kind", [Kind.NOT_LOADED, Kind.OLDER, Kind.CHANGED])
def test_writes_are_refused_and_reads_go_on(demo: Client, publish: Publish, differ: Differ, kind: Kind) -> None:
    route = publish()
    record = demo.result("POST", route, json={"name": "before"})
    differ(kind)
    assert names(demo, route) == {"addon_mismatch"}
    assert demo.result("GET", f"{route}/{record['id']}") == record
    differ()
    assert demo.result("PATCH", f"{route}/{record['id']}", json={"name": "after"})["name"] == "after"


def test_calls_of_test_mode_are_refused_like_others(demo: Client, publish: Publish, differ: Differ) -> None:
    route = publish(mode="test")
    differ(Kind.NOT_LOADED)
    assert demo.error("POST", route, json={"name": "x"})[1]["data"]["name"] == "addon_mismatch"


def test_without_a_registry_every_call_is_503_and_operators_learn_why(
    demo: Client, publish: Publish, app: Gatehouse
) -> None:
    route, current = publish(), app.services.transactions.current
    current.failure = Failure("The addon 'sale' cannot be imported.", "sale", None, None, 300, time.monotonic() + 300)
    try:
        for method, options in (("GET", {}), ("POST", {"json": {"name": "x"}})):
            answer = demo(method, route, **options)
            assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "registry_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert "sale" not in answer.text
        error = demo.error("GET", "/readyz", headers=OPERATOR)[1]
        assert error["data"]["name"] == "registry_unavailable"
        assert error["data"]["reason"] == "The addon 'sale' cannot be imported."
        assert demo.error("GET", "/readyz")[1]["data"]["name"] == "not_ready"
    finally:
        current.failure = None


def test_a_start_amid_which_an_addon_came_that_cannot_be_loaded_is_refused(app: Gatehouse) -> None:
    current, addons = app.services.transactions.current, app.services.addons
    addons.check_start("1")
    current.failure = Failure("The addon 'sale' cannot be imported.", "sale", None, None, 300, time.monotonic() + 300)
    try:
        for disease in (None, "1"):
            with pytest.raises(BootError, match=r"cannot be loaded any more\. The addon 'sale' cannot be imported\."):
                addons.check_start(disease)
    finally:
        current.failure = None


def test_without_a_registry_the_server_looks_for_odoos_signals_by_itself(anyone: Client, app: Gatehouse) -> None:
    current = app.services.transactions.current
    anyone("GET", "/readyz")  # the watcher is there
    # Of a signal before the last one, as if the present one had come since.
    current.failure = Failure("No reason.", None, (-1, {}), None, 300, time.monotonic() + 300)
    try:
        wait_until(lambda: current.failure is None, 30)
    finally:
        current.failure = None


def test_strangers_do_not_learn_of_it(anyone: Client, publish: Publish, differ: Differ) -> None:
    route = publish()
    differ(Kind.NOT_LOADED)
    assert anyone.error("POST", route, json={"name": "x"})[0] == 401


def test_operators_learn_which_addon_and_why(anyone: Client, differ: Differ) -> None:
    differ(Kind.OLDER)
    status, error = anyone.error("GET", "/readyz", headers=OPERATOR)
    assert (status, error["data"]["name"]) == (503, "addon_mismatch")
    assert error["data"]["addons"] == {"a_secret_addon_older": "Why so."}
    answer = anyone("GET", "/readyz")
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "not_ready")
    assert "a_secret_addon" not in answer.text


def test_what_was_uninstalled_stops_nothing(demo: Client, publish: Publish, differ: Differ) -> None:
    route = publish()
    differ(Kind.REMOVED)
    assert demo.result("POST", route, json={"name": "x"})["name"] == "x"
    assert demo("GET", "/readyz").status_code == 200


def test_an_upgrade_stops_nothing_while_a_reload_may_bring_its_code_in(
    demo: Client, publish: Publish, differ: Differ, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish()
    monkeypatch.setattr(renewal, "is_hopeful", lambda disease: True)
    differ(Kind.CHANGED)
    assert demo.result("POST", route, json={"name": "x"})["name"] == "x"
    assert demo("GET", "/readyz").status_code == 200
    differ(Kind.CHANGED, Kind.NOT_LOADED)
    assert demo.error("POST", route, json={"name": "x"})[1]["data"]["name"] == "addon_mismatch"
