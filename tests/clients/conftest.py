"""A live server, the document that a client app gets from it, and programs that use what is generated from that."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from dev.testbed import Testbed
from tests.server.conftest import Server, serving
from tests.server.workers import wait_for_client

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


@dataclass(frozen=True)
class Published:
    """The APIs that clients are made for: their server, the credentials of a client app, and the document in a file."""

    server: Server
    credentials: dict[str, str]
    document: Path

    def environment(self) -> dict[str, str]:
        """Return what the programs know: where the server is, and who they are."""
        names = ("client_id", "client_secret")
        return {**os.environ, "URL": self.server.url, **{name.upper(): self.credentials[name] for name in names}}


@pytest.fixture(scope="session")
def published(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The demo's APIs and those of ``apis.yaml``."""
    folder = tmp_path_factory.mktemp("clients")
    log, networks = folder / "gunicorn.log", "127.0.0.0/8"  # where receivers of webhooks are
    settings = {"GATEHOUSE_WEBHOOK_NETWORKS": networks}
    with serving(testbed, f"gatehouse_clients_{os.getpid()}", log, **settings) as server:
        scopes = "create read update delete search rpc export"
        made = server.flask(
            "client", "create", "Generated", "--user", "admin", "--api", "Partners", "--scope", scopes, "--json"
        )
        credentials = json.loads(made.stdout.splitlines()[-1])
        server.flask("api", "import", str(HERE / "apis.yaml"))
        wait_for_client(server, "/api/records", credentials)
        form = {name: credentials[name] for name in ("client_id", "client_secret")}
        token = requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{server.url}/api/openapi.json", headers=headers, timeout=60)
        document = folder / "openapi.json"
        document.write_text(answer.text)
        assert "/api/names/{id}" in answer.json()["paths"]
        yield Published(server, credentials, document)


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, published: Published) -> Run:
    """Run a command in this test's folder; it has to succeed, and what it says is returned."""

    def work(command: Sequence[str | Path], **more: str) -> str:
        environment = {**published.environment(), **more}
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
        return done.stdout + done.stderr

    return work
