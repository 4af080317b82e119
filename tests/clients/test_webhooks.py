"""Receivers of webhooks as docs/webhooks.md shows them, with libraries of other people, and its walk with curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import npm, pypi
from tests.clients.conftest import PROGRAMS, Published, Run
from tests.packages import program
from tests.pages import blocks
from tests.server.conftest import wait_until
from tests.server.receivers import receiving
from tests.server.test_webhooks import delivery

pytestmark = [pytest.mark.live, pytest.mark.timeout(400), pytest.mark.usefixtures("delivering")]
#: Seconds after which a test fails.
_PATIENCE = 60


@pytest.fixture(scope="module")
def delivering(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The process that delivers."""
    with delivery(published.server, tmp_path_factory.mktemp("delivering") / "log"):
        yield


def test_receivers_in_flask_and_node_and_svix_take_what_is_sent(run: Run, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(npm.installed("standardwebhooks").parent)
    shutil.copy(PROGRAMS / "webhooks_in_node.mjs", tmp_path)
    node = program("node", "nodejs")
    assert "done\n" in run([pypi.python("svix"), PROGRAMS / "with_webhooks.py"], NODE=node)


def test_the_walk_works_as_written(published: Published, tmp_path: Path) -> None:
    base = published.server.url
    form = {name: published.credentials[name] for name in ("client_id", "client_secret")}
    token = requests.post(f"{base}/api/oauth2/token", data=form, timeout=30).json()["access_token"]
    with receiving() as receiver:

        def walk(block: str, **known: str) -> str:
            script = block.replace("https://shop.example/webhooks", receiver.url).replace('"Partners"', '"Numbers"')
            names = {"BASE": base, "TOKEN": token, **known}
            before = "".join(f"{name}={value}\n" for name, value in names.items())
            command = ["bash", "-euo", "pipefail", "-c", before + script]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        def is_captured() -> bool:
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(f"{base}/api/numbers/delta?token=latest", headers=headers, timeout=30).ok

        wait_until(is_captured, _PATIENCE)
        make, test, again, rotate, delete = blocks("webhooks", "sh", "A walk")
        walk(make + test)
        made = json.loads((tmp_path / "webhook.json").read_text())["result"]
        wait_until(lambda: [message.kind for message in receiver.messages] == ["test"], _PATIENCE)
        listed = json.loads(walk(again, HOOK=made["id"], DELIVERY=receiver.messages[0].id).splitlines()[0])
        assert [each["id"] for each in listed["result"]["deliveries"]] == [receiver.messages[0].id]
        wait_until(lambda: len(receiver.messages) == 2, _PATIENCE)
        assert receiver.messages[0].id == receiver.messages[1].id
        new = json.loads(walk(rotate, HOOK=made["id"]))["result"]
        walk(test, HOOK=made["id"])
        wait_until(lambda: len(receiver.messages) == 3, _PATIENCE)
        for each in (made, new):
            receiver.messages[2].verify(each["secret"])
        assert json.loads(walk(delete, HOOK=made["id"]))["result"] is None
