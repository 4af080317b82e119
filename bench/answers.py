"""Comparison of the servers' answers, in one form."""

from __future__ import annotations

import re
from typing import Any

from bench import clients
from bench.load import WrongAnswer
from bench.servers import Server
from bench.workloads import Workload

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?Z?")


def verify(workload: Workload, servers: dict[str, Server]) -> None:
    """Send each server's request once and compare what comes back with the first one's. Raises WrongAnswer."""
    found = {}
    for name, request in workload.requests.items():
        status, _, content = request.send(servers[name].port)
        if status != request.status:
            raise WrongAnswer(f"{workload.name}: {name} answered {status}: {content[:500]!r}")
        if status != 304:
            try:
                found[name] = canonical(clients.result(content))
            except KeyError:
                raise WrongAnswer(f"{workload.name}: {name} answered {content[:500]!r}") from None
    reference, *_ = found
    for name, answer in found.items():
        if not alike(found[reference], answer):
            raise WrongAnswer(
                f"{workload.name}: {name} answers something else than {reference}.\n"
                f"{name}: {str(answer)[:500]}\n{reference}: {str(found[reference])[:500]}"
            )


def canonical(value: Any) -> Any:
    """Return an answer without ids and in one form of what is empty, of dates, and of a many2one."""
    match value:
        case {"id": _, "display_name": name}:
            return name
        case dict():
            return {key: canonical(item) for key, item in value.items() if key != "id"}
        case [int() | str(), dict() | str() as related]:
            return canonical(related)
        case list():
            return [canonical(item) for item in value] or None
        case str():
            moment = _MOMENT.fullmatch(value)
            return f"{moment[1]} {moment[2]}" if moment else value or None
    return value if value is not False else None


def alike(ours: Any, theirs: Any) -> bool:
    """True if a peer's answer is the same job: the same values; for a write, also ids or true in place of them."""
    match ours, theirs:
        case {"groups": groups, "length": _}, list():
            return bool(groups == [{key: group[key] for key in groups[0]} for group in theirs])
        case {"records": records, "has_more": _}, _:  # nobody counted
            return alike(records, theirs["records"] if isinstance(theirs, dict) else theirs)
        case list(), list() if all(isinstance(item, int) for item in theirs):
            return len(ours) == len(theirs)
        case dict(), [dict() as only]:
            return bool(ours == only)
        case dict(), [int()] | True:
            return True
    return bool(ours == theirs)
