"""Requests of the console: its form as the request that a client would send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from app.blueprints.admin.console.inputs import JSON, Input, Inputs
from app.blueprints.admin.console.targets import Target
from app.blueprints.admin.findings import Finding

#: Most characters of a parameter, and of a body: the page that shows the answer holds them too.
_MOST = 20_000
_MOST_BODY = 500_000
_PLACES = ("path", "query", "header")


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """A request: path and query are encoded, ``headers`` are (name, value), ``body`` is None where there is none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: str | None
    media_type: str = JSON

    @property
    def query_string(self) -> str:
        """The query string, without its question mark."""
        return urlencode(self.query, quote_via=quote)


def read(form: Mapping[str, str], target: Target, inputs: Inputs) -> tuple[TrialRequest, dict[str, str]]:
    """Return the request, and what is wrong by field: what could be sent by nobody. All else the API answers."""
    given = {each: form.get(each.field, "").strip() for each in inputs.parameters}
    problems = {each.field: problem for each, value in given.items() if (problem := _problem(each, value))}
    if len(form.get("body", "")) > _MOST_BODY:
        problems["body"] = f"The console sends at most {_MOST_BODY:,} characters."
    path = target.path
    for each in inputs.at("path"):
        path = path.replace(f"{{{each.name}}}", quote(given[each], safe=""))
    return (
        TrialRequest(
            method=target.endpoint.method,
            path=path,
            query=tuple((each.name, given[each]) for each in inputs.at("query") if given[each]),
            headers=tuple((each.name, given[each]) for each in inputs.at("header") if given[each]),
            body=form.get("body", "").replace("\r\n", "\n").strip() if inputs.examples else None,
            media_type=inputs.media_type,
        ),
        problems,
    )


def findings(problems: Mapping[str, str], inputs: Inputs) -> list[Finding]:
    """Return all that is wrong with the form, in the order of the page."""
    path, query, header = ({each.field: each.name for each in inputs.at(place)} for place in _PLACES)
    labels = {**path, **query, "body": inputs.body_label, **header, "run": "How", "caller": "As"}
    return [Finding(label, problems[name], name) for name, label in labels.items() if name in problems]


def short(form: Mapping[str, str]) -> dict[str, str]:
    """Return the request as data of its form: no more of each value than may be sent."""
    return {name: value[: _MOST_BODY if name == "body" else _MOST] for name, value in form.items()}


def _problem(parameter: Input, value: str) -> str | None:
    if len(value) > _MOST:
        return f"The console sends at most {_MOST:,} characters."
    if parameter.place == "path" and not value:
        return f"Which record? Its {parameter.name} is missing."
    if parameter.place == "header" and not (value.isprintable() and value.isascii()):
        return "A header takes one line of ASCII characters."
    return None
