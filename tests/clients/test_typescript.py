"""Clients in TypeScript, made by foreign generators from the OpenAPI document: they compile and work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import npm, pypi
from tests.clients.conftest import PROGRAMS, Published, Run
from tests.packages import program

pytestmark = pytest.mark.live


def _compile_and_run(run: Run, folder: Path, name: str, module: str) -> None:
    """Compile a program, strictly, with the client below ``made``; then run it."""
    (folder / "package.json").write_text(json.dumps({"type": "commonjs" if module == "commonjs" else "module"}))
    (folder / "node_modules").symlink_to(npm.installed("typescript").parent)
    shutil.copy(PROGRAMS / f"{name}.ts", folder)
    resolution = "node10" if module == "commonjs" else module
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--outDir", "js"]
    options += [
        "--module",
        module,
        "--moduleResolution",
        resolution,
        "--types",
        "node",
        "--rootDir",
        ".",
        "--esModuleInterop",
    ]
    run([npm.command("tsc", "typescript"), *options, f"{name}.ts"])
    assert run([program("node", "nodejs"), f"js/{name}.js"]).endswith("done\n")


def test_openapi_typescript(run: Run, published: Published, tmp_path: Path) -> None:
    run(
        [
            npm.command("openapi-typescript"),
            published.document,
            "-o",
            "made/schema.d.ts",
            "--default-non-nullable=false",
        ]
    )
    _compile_and_run(run, tmp_path, "with_openapi_fetch", "nodenext")


def test_hey_api(run: Run, published: Published, tmp_path: Path) -> None:
    run([npm.command("openapi-ts", "@hey-api/openapi-ts"), "-i", published.document, "-o", "made"])
    _compile_and_run(run, tmp_path, "with_hey_api", "commonjs")


def test_orval(run: Run, published: Published, tmp_path: Path) -> None:
    output = {"target": "made/client.ts", "client": "fetch", "baseUrl": {"getBaseUrlFromSpecification": True}}
    configuration = json.dumps({"gatehouse": {"input": str(published.document), "output": output}})
    (tmp_path / "orval.config.mjs").write_text(f"export default {configuration};\n")
    run([npm.command("orval"), "--config", "orval.config.mjs"])
    _compile_and_run(run, tmp_path, "with_orval", "nodenext")


def test_openapi_generator(run: Run, published: Published, tmp_path: Path) -> None:
    program("java", "default-jre-headless")
    command = [pypi.python("openapi-generator-cli").with_name("openapi-generator-cli"), "generate"]
    options = "withoutRuntimeChecks=true,modelPropertyNaming=original"
    run(
        [*command, "-i", published.document, "-g", "typescript-fetch", "-o", "made", "--additional-properties", options]
    )
    _compile_and_run(run, tmp_path, "with_typescript_fetch", "commonjs")
