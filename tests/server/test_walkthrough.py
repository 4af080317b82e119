"""The README's walk through, and what docs/oauth2.md shows, run as they stand there, against a live server."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages import blocks
from tests.server.conftest import Server

pytestmark = pytest.mark.live


def _walkthrough(server: Server) -> list[str]:
    """Return the shell blocks of the section, aimed at the test's server and database."""
    found = blocks("README", "sh", "A walk through")
    assert len(found) == 5
    return [
        block.replace("http://127.0.0.1:8070", server.url).replace('"db": "demo"', f'"db": "{server.database}"')
        for block in found
    ]


def _run(script: str, folder: Path) -> list[Any]:
    """Run a shell script with curl and return the JSON documents that it prints."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    decoder, text, documents = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:].lstrip()
    return documents


def test_the_walk_through_works_as_written(
    server: Server, tmp_path: Path, live_sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    log_in, search, create, change, fetch = _walkthrough(server)
    base = f"BASE={server.url}\n"

    (opened,) = _run(log_in, tmp_path)
    assert live_sql("SELECT login FROM res_users WHERE id = %s", opened["result"]["uid"]) == [("admin",)]
    assert opened["result"]["db"] == server.database

    (found,) = _run(base + search, tmp_path)
    expected = live_sql("SELECT name, COALESCE(email, '') FROM res_partner WHERE active ORDER BY id LIMIT 5")
    assert [(record["name"], record["email"]) for record in found["result"]["records"]] == expected
    ((count,),) = live_sql("SELECT count(*) FROM res_partner WHERE active")
    assert found["result"]["length"] == count

    _run(base + create, tmp_path)
    created = live_sql("SELECT name, email, phone FROM res_partner WHERE email = 'ada@example.com'")
    assert created == [("Ada Lovelace", "ada@example.com", None)]

    # The block reads, changes and deletes; what the database holds is looked at in between.
    read, patch, delete = re.split(r"\n(?=curl)", change.strip())
    keep_id = base + "ID=" + _found_id(base, tmp_path) + "\n"
    (record,) = _run(keep_id + read, tmp_path)
    assert record["result"]["name"] == "Ada Lovelace"
    (patched,) = _run(keep_id + patch, tmp_path)
    assert patched["result"]["phone"] == "+44 20 7946 0000"
    assert live_sql("SELECT phone FROM res_partner WHERE name = 'Ada Lovelace'") == [("+44 20 7946 0000",)]
    (deleted,) = _run(keep_id + delete, tmp_path)
    assert deleted["result"] == [record["result"]["id"]]
    assert live_sql("SELECT 1 FROM res_partner WHERE name = 'Ada Lovelace'") == []

    _run(base + fetch, tmp_path)
    image = (tmp_path / "image.png").read_bytes()
    assert image.startswith(b"\x89PNG")
    ((size,),) = live_sql(
        "SELECT file_size FROM ir_attachment WHERE res_model = 'res.partner' AND res_field = 'image_128' "
        "AND res_id = (SELECT min(id) FROM res_partner WHERE active)"
    )
    assert len(image) == size


def test_a_client_app_is_made_gets_a_token_and_calls_as_written(server: Server, tmp_path: Path) -> None:
    ((create, token, call),) = (block.strip().splitlines() for block in blocks("oauth2", "sh", "Who calls"))
    # Under a name of its own: other tests on this server have a shop, too.
    made = server.flask(*shlex.split(create.replace(" Shop ", " Walker "))[1:]).stdout
    client_id, secret = re.findall(r"^client_(?:id|secret) +(\S+)", made, re.MULTILINE)
    base = f"BASE={server.url}\n"
    token = token.replace("client_id=…", f"client_id={client_id}").replace("client_secret=…", f"client_secret={secret}")
    (given,) = _run(base + token, tmp_path)
    (found,) = _run(base + call.replace("gha_…", given["access_token"]), tmp_path)
    assert found["result"]["records"]
    assert set(given["scope"].split()) == {"read", "search"}


def _found_id(base: str, folder: Path) -> str:
    """Return the id of the partner that the walk through made, as a client would find it."""
    query = 'curl -s -b cookies.txt -G $BASE/api/partner/rest --data-urlencode \'domain=[["name","=","Ada Lovelace"]]\''
    (found,) = _run(base + query, folder)
    (record,) = found["result"]["records"]
    public_id: str = record["id"]
    return public_id
