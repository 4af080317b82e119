"""Greeting of `make serve`: where a person goes from here."""

from __future__ import annotations

from pathlib import Path

from dev import greeting
from dev.bind import Address


def test_the_greeting_names_the_panel_and_the_docs_in_full() -> None:
    lines = greeting.ready(Address("", 8070)).splitlines()
    assert "Gatehouse serves http://127.0.0.1:8070 - Ctrl-C stops it." in lines
    assert any(line.startswith("Panel:  http://127.0.0.1:8070/admin/ ") for line in lines)
    assert any(line.startswith("Docs:   http://127.0.0.1:8070/api/docs ") for line in lines)


def test_it_says_where_webhooks_go_and_where_their_log_is() -> None:
    log = Path("/tmp/webhooks.log")
    assert "also to 127.0.0.0/8 over http. Its log: /tmp/webhooks.log" in greeting.webhooks(log, "127.0.0.0/8")
    assert "of their own. Its log: /tmp/webhooks.log" in greeting.webhooks(log, "")


def test_the_demo_has_logins_for_the_panel_and_for_an_ordinary_user() -> None:
    text = greeting.demo(Address("::1", 8070), "demo", Path("/tmp/cookies.txt"))
    assert "admin / admin" in text
    assert "demo / demo" in text
    assert "http://[::1]:8070/api/partner/rest?limit=3" in text


def test_beside_ones_own_odoo_it_says_whose_login_opens_the_panel() -> None:
    assert "Odoo's settings" in greeting.existing()
