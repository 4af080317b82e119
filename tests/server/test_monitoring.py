"""What rules and dashboard ask for, against what a server that has seen all kinds of calls serves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from dev.testbed import Testbed
from tests.integration.test_monitoring import DASHBOARD, alerts, dashboard_expressions
from tests.server.conftest import Server, serving, wait_until

pytestmark = pytest.mark.live
TOKEN = "an ops person's token"


@pytest.fixture(scope="module")
def served(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The labels of each metric that a server has after a call."""
    log = tmp_path_factory.mktemp("monitored") / "gunicorn.log"
    with serving(testbed, f"gatehouse_monitored_{os.getpid()}", log, GATEHOUSE_METRICS_TOKEN=TOKEN) as server:
        assert server.session().get(f"{server.url}/api/partner/rest", timeout=10).ok
        # Connections are counted a few times a second.
        wait_until(lambda: "gatehouse_database_connections_limit" in _labels(server), 30)
        yield _labels(server)


def _labels(server: Server) -> dict[str, set[str]]:
    answer = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


_NAME = r"\b(?:gatehouse|process)_\w+"


def _asked(expression: str) -> list[tuple[str, set[str]]]:
    """Return the metrics of an expression, and the labels that it chooses them by."""
    found = re.findall(rf"({_NAME})(?:{{([^}}]*)}})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen))) for name, chosen in found]


def _variables() -> list[str]:
    return [
        variable["query"]["query"].partition("(")[2].replace("$job", "x")
        for variable in DASHBOARD["templating"]["list"]
        if variable["type"] == "query"
    ]


def test_each_metric_and_label_that_is_asked_for_is_served(served: dict[str, set[str]]) -> None:
    rules = [rule["expr"] for rule in alerts()]
    asked = [each for expression in (*rules, *dashboard_expressions(), *_variables()) for each in _asked(expression)]
    assert len(asked) > 60
    assert {name for name, _ in asked} - served.keys() == set()
    assert [(name, labels - served[name]) for name, labels in asked if labels - served[name]] == []


def test_each_label_that_is_summed_by_is_served(served: dict[str, set[str]]) -> None:
    known = set().union(*served.values())
    for expression in (*(rule["expr"] for rule in alerts()), *dashboard_expressions()):
        for labels in re.findall(r"\bby \(([^)]*)\)", expression):
            assert {label.strip() for label in labels.split(",")} <= known, expression


def test_each_metric_of_ours_is_in_an_alert_or_on_the_dashboard(served: dict[str, set[str]]) -> None:
    text = " ".join([*(rule["expr"] for rule in alerts()), *dashboard_expressions()])
    asked = set(re.findall(_NAME, text))
    # The time of the first count, which the client library adds to each; sums are there beside the buckets.
    ours = {name for name in served if name.startswith("gatehouse_") and not name.endswith(("_created", "_sum"))}
    assert ours - asked == set()
