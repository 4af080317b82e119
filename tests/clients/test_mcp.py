"""AI agents with other people's software: the official SDK, the Inspector's command line, the conformance suite."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import npm, pypi
from tests.clients.adding_proxy import before
from tests.clients.conftest import PROGRAMS, Published, Run
from tests.pages import blocks
from tests.server.workers import wait_for_client

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

_APIS = """
apis:
- name: Agents
  route: /api/agents
  published: true
  clients: [Agent]
  mcp: write
  models: [{model: res.partner, fields: [name, email, phone, company_id]}]
- name: Guarded
  route: /api/guarded
  published: true
  clients: [Agent]
  mcp: write
  mcp_approval: person
  models: [{model: res.partner, fields: [name, phone]}]
- name: Hidden
  route: /api/hidden
  published: true
  mcp: write
  models: [{model: res.partner, fields: [name]}]
clients:
- name: Agent
  user: demo
  scopes: [create, read, update, delete, search]
  redirect_uris: ["http://localhost:8123/callback"]
"""


#: Scenarios of the conformance suite that need no tools, prompts or resources of its own, by revision. The others ask
#: for tools that echo images, sounds and the like, for prompts, sampling, logging, sessions and completion: there are
#: none here.
SCENARIOS = {
    "2025-11-25": ("server-initialize", "ping", "tools-list", "resources-list", "dns-rebinding-protection"),
    "2026-07-28": (
        "server-stateless",
        "tools-list",
        "resources-list",
        "sep-2164-resource-not-found",
        "dns-rebinding-protection",
        "caching",
        "http-header-validation",
        "server-sse-multiple-streams",
    ),
}
#: Checks that fail, and why that is right.
EXPLAINED: dict[tuple[str, str], dict[str, str]] = {
    ("2026-07-28", "caching"): {"sep-2549-prompts-list-caching-hints": "There are no prompts, and none are declared."},
    ("2026-07-28", "server-stateless"): dict.fromkeys(
        (
            "sep-2575-server-rejects-undeclared-capability",
            "sep-2575-missing-capability-http-400",
            "sep-2575-http-server-no-independent-requests-on-stream",
            "sep-2575-server-no-log-without-loglevel",
        ),
        "It says that it can't be tested without a tool of the suite's own; there are none but those of APIs.",
    ),
}


@dataclass(frozen=True)
class Agent:
    """The client app of the agents."""

    url: str
    client_id: str
    client_secret: str

    def token(self, url: str = "") -> str:
        """Return a token of its own for the tools, as they are called at an address."""
        url = url or self.url
        form = {"client_id": self.client_id, "client_secret": self.client_secret, "resource": f"{url}/api/mcp"}
        answer = requests.post(f"{url}/api/oauth2/token", data=form, timeout=30)
        return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def agent(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    server = published.server
    file = tmp_path_factory.mktemp("agents") / "apis.yaml"
    file.write_text(_APIS)
    server.flask("api", "import", str(file))
    made = json.loads(server.flask("client", "rotate", "Agent", "--json").stdout)
    wait_for_client(server, "/api/agents", made)
    form = {name: published.credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=30).json()["access_token"]
    headers, partner = {"Authorization": f"Bearer {token}"}, {"name": "Deco Addict"}
    requests.post(f"{server.url}/api/partner/rest", json=partner, headers=headers, timeout=30).raise_for_status()
    return Agent(server.url, made["client_id"], made["client_secret"])


def test_the_official_sdk_goes_from_a_401_to_a_changed_partner(agent: Agent, run: Run, tmp_path: Path) -> None:
    for name in ("mcp_person.py", "with_mcp.py"):
        shutil.copy(PROGRAMS / name, tmp_path)
    secrets = {"AGENT_ID": agent.client_id, "AGENT_SECRET": agent.client_secret}
    assert run([pypi.python("mcp"), "with_mcp.py"], **secrets).endswith("done\n")


def test_the_inspector_lists_and_calls_tools(agent: Agent, run: Run) -> None:
    inspector = npm.command("mcp-inspector", "@modelcontextprotocol/inspector")
    at = ["--cli", f"{agent.url}/api/mcp", "--transport", "http", "--header", f"Authorization: Bearer {agent.token()}"]
    listed = _read(run([inspector, *at, "--method", "tools/list"]))
    assert "agents_search" in {tool["name"] for tool in listed["tools"]}
    call = ["--method", "tools/call", "--tool-name", "agents_search", "--tool-arg", "limit=2"]
    called = _read(run([inspector, *at, *call]))
    assert len(called["structuredContent"]["records"]) == 2


def _read(printed: str) -> Any:
    """Return the JSON that is followed by a program's remarks."""
    return json.JSONDecoder().raw_decode(printed)[0]


@pytest.mark.parametrize(
    ("revision", "scenario"), [(each, name) for each, names in SCENARIOS.items() for name in names]
)
def test_the_conformance_suite_passes(agent: Agent, run: Run, tmp_path: Path, revision: str, scenario: str) -> None:
    conformance = npm.command("conformance", "@modelcontextprotocol/conformance")
    node = Path(conformance).parent.parent / "node" / "bin" / "node"
    with before(agent.url) as proxy:
        proxy.headers["Authorization"] = f"Bearer {agent.token(proxy.url)}"
        options = ["--scenario", scenario, "--spec-version", revision, "--output-dir", tmp_path, "--timeout", "60000"]
        command = [str(each) for each in (node, conformance, "server", "--url", f"{proxy.url}/api/mcp", *options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    (file,) = tmp_path.rglob("checks.json")
    checks = json.loads(file.read_text())
    failed = {check["id"]: check.get("errorMessage", "") for check in checks if check["status"] == "FAILURE"}
    assert any(check["status"] == "SUCCESS" for check in checks), done.stdout + done.stderr
    assert failed.keys() == EXPLAINED.get((revision, scenario), {}).keys(), failed


def test_the_page_about_agents_has_calls_that_work(published: Published, agent: Agent, tmp_path: Path) -> None:
    (script,) = blocks("mcp", "sh", "Connect")
    script = script.replace("partners_search", "agents_search")
    variables = f"BASE={agent.url}\nKEY={agent.token()}\n"
    command = ["bash", "-euo", "pipefail", "-c", variables + script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    decoder, answers, text = json.JSONDecoder(), list[Any](), done.stdout
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].strip()
    listed, called = answers
    assert listed["result"]["tools"]
    assert re.search("deco", called["result"]["content"][1]["text"], re.IGNORECASE)
