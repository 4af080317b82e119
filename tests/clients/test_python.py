"""Clients in Python, made by foreign generators from the OpenAPI document: they import, and do all that an API does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pypi
from tests.clients.conftest import PROGRAMS, Published, Run
from tests.packages import program

pytestmark = pytest.mark.live


def test_openapi_python_client(run: Run, published: Published, tmp_path: Path) -> None:
    python = pypi.python("openapi-python-client")
    command = [python.with_name("openapi-python-client"), "generate", "--meta", "none"]
    said = run([*command, "--path", published.document, "--output-path", tmp_path / "gatehouse_client"])
    left_out = ("(Unsupported content_type */*)", "\nUnsupported content type application/x-ndjson\n")
    assert said.count("parsing ") == sum(map(said.count, left_out)), said  # the content of binaries, and lines
    run([python, PROGRAMS / "import_all.py", "gatehouse_client"], PYTHONPATH=str(tmp_path))
    assert run([python, PROGRAMS / "with_openapi_python_client.py"], PYTHONPATH=str(tmp_path)).endswith("done\n")


def test_openapi_generator(run: Run, published: Published, tmp_path: Path) -> None:
    program("java", "default-jre-headless")
    python = pypi.python("openapi-generator-cli")
    command = [python.with_name("openapi-generator-cli"), "generate", "-g", "python"]
    run([*command, "-i", published.document, "-o", tmp_path / "made", "--package-name", "gatehouse_client"])
    run([python, PROGRAMS / "import_all.py", "gatehouse_client"], PYTHONPATH=str(tmp_path / "made"))
    done = run([python, PROGRAMS / "with_openapi_generator.py"], PYTHONPATH=str(tmp_path / "made"))
    assert done.endswith("done\n")
