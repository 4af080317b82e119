"""The files for Prometheus and Grafana in deploy/, by promtool and by Grafana's own model of a dashboard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.packages import program

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES, TESTS = PROMETHEUS / "gatehouse.rules.yaml", PROMETHEUS / "gatehouse.rules.test.yaml"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "gatehouse.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def promtool(*arguments: str | Path) -> None:
    """Run promtool; fail with what it says."""
    command = [program("promtool", "prometheus"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def alerts() -> list[dict[str, Any]]:
    """Return all rules."""
    return [rule for group in _yaml(RULES)["groups"] for rule in group["rules"]]


def dashboard_expressions() -> Iterator[str]:
    """Return what the panels ask, with values for the dashboard's variables."""
    values = {"$__rate_interval": "5m", "$job": "gatehouse", "$instance": ".*", "$api": ".*"}
    for target in (target for panel in PANELS for target in panel["targets"]):
        yield re.sub(r"\$\w+", lambda match: values[match[0]], target["expr"])


def test_promtool_takes_the_rules_and_the_example_of_a_configuration() -> None:
    promtool("check", "rules", "--lint-fatal", RULES)
    promtool("check", "config", "--syntax-only", PROMETHEUS / "prometheus.yaml")


def test_the_rules_fire_when_they_should_and_not_before() -> None:
    promtool("test", "rules", TESTS)


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires, is_quiet = set(), set()
    for test in _yaml(TESTS)["tests"]:
        for check in test.get("promql_expr_test", []):
            found = re.findall(r'alertname="(\w+)"', check["expr"])
            (fires if check["exp_samples"] else is_quiet).update(found)
    assert fires == is_quiet == {rule["alert"] for rule in alerts()}


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in alerts():
        assert rule["for"], rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert len(rule["annotations"]["description"]) > 80, rule["alert"]


def test_each_alert_is_named_in_the_docs() -> None:
    named = set(re.findall(r"`(Gatehouse\w+)`", (ROOT / "docs" / "monitoring.md").read_text()))
    assert named == {rule["alert"] for rule in alerts()}


def test_prometheus_takes_each_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(dashboard_expressions())]
    assert len(rules) > 20
    path = tmp_path / "panels.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "--lint=none", path)


def test_the_dashboard_can_be_imported_wherever_prometheus_goes_by_another_name() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    asked = [*PANELS, *(target for panel in PANELS for target in panel["targets"])]
    asked += [variable for variable in variables.values() if variable["type"] == "query"]
    assert all(each["datasource"] == source for each in asked)
    assert DASHBOARD["uid"] == "gatehouse"
    assert "id" not in DASHBOARD  # the number that one Grafana gave it


def test_panels_have_names_of_their_own_and_cover_none_another() -> None:
    everything = DASHBOARD["panels"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in everything}) == len(everything), key
    areas = []
    for panel in everything:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        lines = range(place["y"], place["y"] + place["h"])
        areas.append({(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in lines})
    assert not [True for one, other in combinations(areas, 2) if one & other]
    for panel in PANELS:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0, panel["title"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Grafana's SDK needs Python 3.11")
def test_grafanas_own_model_knows_all_that_the_dashboard_says() -> None:
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    # Written by Grafana's export, and not part of its model.
    said = {key: value for key, value in DASHBOARD.items() if key != "__requires"}
    for variable in said["templating"]["list"]:
        variable.pop("definition", None)
    assert _unknown(said, known) == []


def _unknown(said: Any, known: Any, path: str = "") -> list[str]:
    """Return the places at which a value is lost or another."""
    if isinstance(said, dict) and isinstance(known, dict):
        return [place for key, value in said.items() for place in _unknown(value, known.get(key), f"{path}/{key}")]
    if isinstance(said, list) and isinstance(known, list) and len(said) == len(known):
        pairs = enumerate(zip(said, known, strict=True))
        return [place for number, (one, other) in pairs for place in _unknown(one, other, f"{path}/{number}")]
    return [] if said == known else [path]
