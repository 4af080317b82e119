"""What the server tells of its own state, and to whom."""

from __future__ import annotations

from app.version import VERSION
from app.web.routing import Gatehouse
from tests.conftest import OPERATOR
from tests.http.conftest import Client


def test_a_stranger_learns_only_whether_the_server_is_ready(anyone: Client, demo: Client, admin: Client) -> None:
    for client in (anyone, demo, admin):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer \xff"}):
            assert client.result("GET", "/readyz", headers=headers) == {"status": "ready"}


def test_ops_see_what_is_served(app: Gatehouse, anyone: Client) -> None:
    details = anyone.result("GET", "/readyz", headers=OPERATOR)
    assert details["database"] == app.services.transactions.database
    assert details["odoo"].startswith("19.0")
    assert details["catalog"] == app.services.catalog.snapshot.version
    assert details["out_of_service"] == {}
    assert details["version"] == VERSION


def test_metrics_are_for_ops_alone(anyone: Client) -> None:
    assert anyone("GET", "/metrics", headers=OPERATOR).status_code == 200
    for header in ("", "Bearer ", "Bearer None", "Bearer \xff", OPERATOR["Authorization"].removeprefix("Bearer ")):
        assert anyone("GET", "/metrics", headers={"Authorization": header}).status_code == 404


def test_a_process_without_workers_tells_of_itself(anyone: Client) -> None:
    text = anyone("GET", "/metrics", headers=OPERATOR).text
    for name in (
        "gatehouse_build_info",
        "gatehouse_ready",
        "process_resident_memory_bytes",
        "gatehouse_requests_in_flight",
    ):
        assert text.count(f"# TYPE {name} ") == 1, name
    assert "gatehouse_workers" not in text
