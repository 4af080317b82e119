"""The files for containers in deploy/: what Compose reads, and what an image is made of."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.commands import webhook
from app.config import Settings, variable
from app.webhooks import engine
from serving import environment_file
from tests.packages import program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as Compose understands the file."""
    command = [program("docker-compose", "docker-compose"), "-f", str(DEPLOY / "compose.yaml")]
    done = subprocess.run([*command, "config", "--format=json"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_odoo_and_gatehouse_share_data_addons_and_configuration(services: dict[str, Any]) -> None:
    def places(name: str) -> set[tuple[str, str]]:
        return {(each["source"], each["target"]) for each in services[name]["volumes"]}

    assert places("gatehouse") == places("migrate") == places("webhooks") < places("odoo")
    assert ("odoo-data", "/var/lib/odoo") in places("gatehouse")
    assert "/etc/odoo/odoo.conf" in {target for _, target in places("gatehouse")}


def test_gatehouse_runs_without_rights_on_a_read_only_file_system(services: dict[str, Any]) -> None:
    for name in ("gatehouse", "migrate", "webhooks"):
        service = services[name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        writable = [each["target"] for each in service["volumes"] if not each.get("read_only")]
        assert writable == ["/var/lib/odoo"]


def test_only_this_machine_reaches_the_services(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert "ports" not in services["db"]


def test_settings_of_the_services_exist_and_none_is_a_secret(services: dict[str, Any]) -> None:
    known = {*(variable(field.name) for field in fields(Settings)), environment_file.VARIABLE, "PGHOST", "PGUSER"}
    assert services["gatehouse"]["environment"].keys() <= known
    for name, service in services.items():
        for setting in service["environment"]:
            assert not re.search("PASSWORD$|SECRET|TOKEN", setting), f"{name}: {setting}"


def test_a_stop_leaves_calls_in_flight_their_time(services: dict[str, Any]) -> None:
    defaults = Settings(odoo_conf=Path("x"))
    assert services["gatehouse"]["stop_grace_period"] == "1m30s"
    assert defaults.drain_seconds + max(defaults.call_timeout, defaults.statement_timeout) + 15 < 90
    assert engine.GRACE + 5 < int(services["webhooks"]["stop_grace_period"].removesuffix("s")) <= 30
    assert "`terminationGracePeriodSeconds: 90`" in (ROOT / "docs" / "containers.md").read_text()


def test_the_image_holds_what_the_server_needs_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    missing = {name for name in kept if not list(ROOT.glob(name))}
    assert not missing
    assert {"app", "odoo_bridge", "serving", "migrations", "docs", "wsgi.py", "gunicorn.conf.py", ".flaskenv"} <= kept
    assert not kept & {"deploy", "tests", ".git", ".local", ".venv"}


def test_the_image_runs_gunicorn_itself_and_not_as_root() -> None:
    instructions = re.findall(r"(?m)^(USER|ENTRYPOINT|CMD) (.+)$", DOCKERFILE)
    assert [value for name, value in instructions if name == "USER"][-1] == "odoo"
    assert ("ENTRYPOINT", "[]") in instructions
    command = json.loads(instructions[-1][1])
    assert command[0] == "gunicorn"
    assert (ROOT / command[2]).is_file()


def test_the_image_gets_no_secret_and_settings_that_exist() -> None:
    known = {variable(field.name) for field in fields(Settings)}
    said = set(re.findall(r"(?m)^\s*(?:ENV )?(GATEHOUSE_\w+)=", DOCKERFILE))
    assert said
    assert said <= known
    assert not re.search(r"(?im)^(ARG|ENV|COPY).*(password|secret|token)", DOCKERFILE)


def test_the_page_builds_with_arguments_and_starts_services_that_there_are(services: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "containers.md").read_text()
    arguments = set(re.findall(r"--build-arg (\w+)=", page))
    assert arguments == {"BASE", "REVISION", "REQUIREMENTS"}
    assert arguments <= set(re.findall(r"(?m)^ARG (\w+)", DOCKERFILE))
    used = re.findall(r"docker compose (?:up -d|run --rm|exec(?: -T)?|kill -s HUP) (\w+)", page)
    assert set(used) <= services.keys()
    assert {"db", "odoo", "gatehouse", "webhooks"} == set(used)


def test_webhooks_are_delivered_by_a_command_that_exists_and_nobody_asks_it_for_its_health(
    services: dict[str, Any],
) -> None:
    command = services["webhooks"]["command"]
    assert command[:2] == ["flask", webhook.group.name]
    assert command[2] in webhook.group.commands
    assert services["webhooks"]["healthcheck"] == {"disable": True}


def test_the_page_makes_the_secrets_that_the_services_read() -> None:
    page, compose = ((ROOT / name).read_text() for name in ("docs/containers.md", "deploy/compose.yaml"))
    assert set(re.findall(r"> (secrets/[\w.]+)$", page, re.MULTILINE)) <= set(re.findall(r"secrets/[\w.]+", compose))
