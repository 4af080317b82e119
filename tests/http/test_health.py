"""What the server tells of its own state, and to whom."""

from __future__ import annotations

from app.routing import Gatehouse
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


def test_metrics_are_for_ops_alone(anyone: Client) -> None:
    assert anyone("GET", "/metrics", headers=OPERATOR).status_code == 200
    for header in ("", "Bearer ", "Bearer None", "Bearer \xff", OPERATOR["Authorization"].removeprefix("Bearer ")):
        assert anyone("GET", "/metrics", headers={"Authorization": header}).status_code == 404
