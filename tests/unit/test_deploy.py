"""The files in deploy/: what fits together in them, and settings that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from app.config import Settings, from_environment, variable
from serving import environment_file

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


SERVERS = ("gatehouse.service", "gatehouse@.service")
WEBHOOKS = ("gatehouse-webhooks.service", "gatehouse-webhooks@.service")
UNITS = (*SERVERS, *WEBHOOKS)
FOLLOWS = "gatehouse-follows-odoo.service"


@pytest.mark.parametrize(
    ("gatehouse", "odoo", "reloads"),
    [("2000", "1000", False), ("1000", "2000", True), ("1000", "1000", True), ("", "", True)],
    ids=["gatehouse after Odoo", "Odoo after Gatehouse", "both at once", "times unknown"],
)
def test_gatehouse_is_reloaded_unless_it_was_started_after_odoo(
    gatehouse: str, odoo: str, reloads: bool, tmp_path: Path
) -> None:
    (line,) = re.findall(r"^ExecCondition=(.+)$", (DEPLOY / FOLLOWS).read_text(), re.MULTILINE)
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f"#!/bin/sh\ncase $4 in gatehouse.service) echo '{gatehouse}';; odoo.service) echo '{odoo}';; esac\n"
    )
    systemctl.chmod(0o755)
    done = subprocess.run(
        shlex.split(line.replace("$$", "$")),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode == 0) is reloads


def _lines(name: str) -> list[str]:
    return (DEPLOY / name).read_text().partition("[Unit]")[2].splitlines()


def _several(one: str, many: str) -> dict[str, tuple[str, str]]:
    """Return the lines by which the unit of several databases differs, by their keys."""
    pairs = zip(_lines(one), _lines(many), strict=True)
    return {new.partition("=")[0]: (old, new) for old, new in pairs if old != new}


def test_the_unit_of_several_databases_differs_by_the_name_alone() -> None:
    different = _several(*SERVERS)
    assert list(different) == ["Description", "Documentation", "Environment"]
    old, new = different["Environment"]
    assert new == old.replace("gatehouse.env", "%i.env")


@pytest.mark.parametrize("name", UNITS)
def test_the_units_let_the_machines_own_addresses_be_looked_up(name: str) -> None:
    (families,) = re.findall(r"^RestrictAddressFamilies=(.+)$", (DEPLOY / name).read_text(), re.MULTILINE)
    assert "AF_NETLINK" in families.split()  # getifaddrs(3)


def test_the_unit_of_several_databases_webhooks_goes_with_that_databases_server() -> None:
    different = _several(*WEBHOOKS)
    assert different.pop("Description")
    assert different.pop("Documentation")
    assert list(different) == ["After", "PartOf", "ReloadPropagatedFrom", "Environment", "WantedBy"]
    for old, new in different.values():
        assert new == old.replace("gatehouse.env", "%i.env").replace("gatehouse.service", "gatehouse@%i.service")


def test_what_delivers_webhooks_may_do_what_the_server_may() -> None:
    server, webhooks = (
        (DEPLOY / name).read_text().partition("ProtectSystem=")[2].partition("[Install]")[0]
        for name in ("gatehouse.service", "gatehouse-webhooks.service")
    )
    assert server == webhooks


def test_a_stop_leaves_messages_that_are_being_sent_their_time() -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", (DEPLOY / WEBHOOKS[0]).read_text(), re.MULTILINE)
    engine = (ROOT / "app" / "webhooks" / "engine.py").read_text()  # it can't be imported without Odoo
    (grace,) = re.findall(r"^GRACE, .*? = ([\d.]+),", engine, re.MULTILINE)
    assert float(grace) + 5 < int(seconds) <= 30


@pytest.mark.parametrize("name", SERVERS)
def test_a_stop_of_the_unit_leaves_calls_in_flight_their_time(name: str) -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", (DEPLOY / name).read_text(), re.MULTILINE)
    defaults = Settings(odoo_conf=Path("x"))
    assert int(seconds) > defaults.drain_seconds + max(defaults.call_timeout, defaults.statement_timeout) + 15


def test_nginx_waits_longer_than_a_call_may_take() -> None:
    (location,) = re.findall(
        r"location ~ \^/\(api\|admin\).*?\n    }\n", (DEPLOY / "nginx.conf").read_text(), re.DOTALL
    )
    (seconds,) = re.findall(r"proxy_read_timeout +(\d+)s;", location)
    assert int(seconds) > Settings(odoo_conf=Path("x")).call_timeout


def test_the_environment_file_holds_settings_that_exist_and_the_defaults_that_it_says() -> None:
    text = (DEPLOY / "gatehouse.env").read_text()
    defaults = {variable(field.name): field.default for field in fields(Settings)}
    commented = dict(re.findall(r"^#(GATEHOUSE_\w+)=(.*)$", text, re.MULTILINE))
    environ = {environment_file.VARIABLE: str(DEPLOY / "gatehouse.env")}
    environment_file.load(environ)
    assert from_environment(environ).trusted_proxies == 1
    known = {*defaults, "GATEHOUSE_ODOO_SOURCE", environment_file.VARIABLE}
    assert set(environ) | set(commented) <= known
    for name in ("max_body_size", "statement_timeout", "call_timeout", "drain_seconds"):
        assert float(commented[variable(name)]) == defaults[variable(name)]
