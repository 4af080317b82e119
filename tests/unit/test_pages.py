"""The README and the pages in docs/: what they link to and name is there, and what they show is run by some test."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.clients.document import ClientDocument
from app.config import Settings, variable
from app.definitions.document import ApiDocument
from app.definitions.secrets import SECRET_MODELS
from tests.pages import PAGES, README, ROOT, blocks, every_block

#: Which test runs the commands below a heading, as they stand there; or why none does.
RUN_BY = {
    (
        "README",
        "Two commands",
    ): "none: one is this, the other is in pieces in tests/integration/test_make_serve.py",
    ("README", "A walk through"): "tests/server/test_walkthrough.py",
    (
        "containers",
        "The image",
    ): "none: it needs Docker and its registry; tests/integration/test_containers.py holds it against the files",
    ("containers", "Compose: PostgreSQL, Odoo, Gatehouse"): "none: as above",
    ("mcp", "Connect"): "tests/clients/test_mcp.py",
    ("oauth2", "Who calls"): "tests/server/test_walkthrough.py",
    ("operations", "Ten steps"): "tests/deploy/conftest.py",
    ("operations", "Webhooks"): "tests/deploy/test_operations.py",
    ("operations", "Backup and restore"): "tests/deploy/test_operations.py",
    ("operations", "Beside your own Odoo"): "none: the target is looked up by tests/http/test_documented_commands.py",
    ("readiness", "Ready or not"): "tests/server/test_readiness.py",
    ("several-databases", "A Gatehouse for each"): "tests/deploy/test_several_databases.py",
    ("several-databases", "Webhooks"): "tests/deploy/test_several_databases.py",
    ("several-databases", "A restored copy"): "tests/deploy/test_several_databases.py",
    ("upgrades", "New versions, and going back"): "tests/upgrades/test_addons.py",
    ("webhooks", "A walk"): "tests/clients/test_webhooks.py",
}


def _links(page: Path) -> list[tuple[Path, str]]:
    """Return the files of this repository that a page links to, each with the heading's name or nothing."""
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]
    parts = [link.partition("#") for link in links]
    return [((page.parent / file).resolve() if file else page, heading) for file, _, heading in parts]


def _headings(page: Path) -> set[str]:
    """Return the names that a page's headings are linked by."""
    texts = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in texts}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target, heading in _links(page):
        assert target.exists()
        assert not heading or heading in _headings(target), f"{target.name} has no heading {heading}"


def test_the_readme_leads_to_each_page() -> None:
    assert PAGES
    assert set(PAGES) <= {target for target, _ in _links(README)}


def test_the_readme_is_one_screen_or_three() -> None:
    assert len(README.read_bytes()) < 8_000


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_what_a_page_shows_is_shell_that_some_test_runs(page: Path) -> None:
    for heading, block in every_block(page, "sh", "bash"):
        done = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block
        runner = RUN_BY[page.stem, heading]
        assert runner.startswith("none: ") or f'"{heading}"' in (ROOT / runner).read_text()


def test_no_heading_without_commands_is_told_to_be_run() -> None:
    assert set(RUN_BY) == {
        (page.stem, heading) for page in [README, *PAGES] for heading, _ in every_block(page, "sh", "bash")
    }


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    folders = "app|odoo_bridge|serving|dev|bench|deploy|docs|migrations|tests"
    named = re.findall(rf"`((?:{folders})/[\w./@-]+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_pages_show_each_key_of_a_definition_and_no_other() -> None:
    (definitions,) = map(yaml.safe_load, blocks("definitions", "yaml", "Definitions"))
    ((rpc,),) = map(yaml.safe_load, blocks("api", "yaml", "RPC"))
    (rest,), (client,) = definitions["apis"], definitions["clients"]
    assert rest.keys() | rpc.keys() == ApiDocument.model_fields.keys()
    assert client.keys() == ClientDocument.model_fields.keys()
    ApiDocument.model_validate(rpc)
    ApiDocument.model_validate({key: value for key, value in rest.items() if key not in ("http_methods", "method")})


def test_operations_tells_of_each_setting_and_its_default() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| (`GATEHOUSE_.+?`) \| (.+?) \|", page, re.MULTILINE)
    told = {
        name.strip("` "): default.strip("` ")
        for names, defaults in rows
        for name, default in zip(names.split(","), defaults.split(",") if "," in names else [defaults], strict=True)
    }
    for field in fields(Settings):
        assert variable(field.name) in told
        default: Any = field.default
        if isinstance(default, (int, float)) and not isinstance(default, bool) and field.name != "calls_per_caller":
            assert float(told[variable(field.name)]) == default, field.name


def test_the_changelog_says_what_was_added_changed_and_fixed() -> None:
    versions = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]
    for version in versions:
        assert re.findall(r"^### (.+)$", version, re.MULTILINE) == ["Added", "Changed", "Fixed"]


def test_definitions_names_each_model_that_holds_secrets() -> None:
    page = (ROOT / "docs" / "definitions.md").read_text()
    (listed,) = re.findall(r"a relation to them: (.*?), and all of Gatehouse's own", page, re.DOTALL)
    assert set(re.findall(r"`([\w.]+)`", listed)) == SECRET_MODELS


def test_changes_shows_the_resource_that_is_run() -> None:
    (shown,) = blocks("changes", "python", "With dlt and Singer")
    assert shown in (ROOT / "tests/clients/programs/followed_by_dlt.py").read_text()


@pytest.mark.parametrize(("language", "program"), [("python", "webhooks_in_flask.py"), ("js", "webhooks_in_node.mjs")])
def test_webhooks_shows_the_receivers_that_are_run(language: str, program: str) -> None:
    (shown,) = blocks("webhooks", language, "Receivers")
    assert (ROOT / "tests/clients/programs" / program).read_text().endswith(shown)


def test_monitoring_tells_of_each_metric() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text()
    sources = (path.read_text() for path in (ROOT / "app" / "observe").glob("*.py"))
    metrics = {name for source in sources for name in re.findall(r'"(gatehouse_[a-z_]+)"', source)}
    assert len(metrics) > 15
    assert {name for name in metrics if name not in page} == set()


def test_what_a_page_says_to_be_under_a_name_in_the_panel_is_there_in_its_menu() -> None:
    menu = re.findall(r'name="([^"]+)", endpoint=', (ROOT / "app/blueprints/admin/__init__.py").read_text())
    named = [name for page in PAGES for name in re.findall(r"the panel\b[^.*]* under \*([^*]+)\*", page.read_text())]
    assert "APIs" in menu
    assert named
    assert set(named) <= set(menu)
