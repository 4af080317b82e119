"""The same call as curl, Python and JavaScript, to copy; where a secret has to stand, its name stands."""

from __future__ import annotations

import json
import pprint
import shlex
from typing import Any

import orjson

from app.blueprints.admin.console.trial_request import TrialRequest

_TOKEN = "ACCESS_TOKEN"  # noqa: S105  a placeholder
_SESSION = "SESSION_ID"
#: A body of more characters stands in a file of its own.
_LONGEST = 5_000
_FILE = "body.json"


def snippets(asked: TrialRequest, base: str, caller: str) -> dict[str, str]:
    """Return the programs by language. ``base`` is the server's address; ``caller`` is me, public, or a client app."""
    who = caller if caller in ("me", "public") else "client"
    return {
        "curl": _curl(asked, base, who),
        "Python": _python(asked, base, who),
        "JavaScript": _javascript(asked, base, who),
    }


def _address(asked: TrialRequest, base: str) -> str:
    return f"{base}{asked.path}" + (f"?{asked.query_string}" if asked.query else "")


def _headers(asked: TrialRequest, who: str) -> dict[str, str]:
    token = {"Authorization": f"Bearer {_TOKEN}"} if who == "client" else {}
    content = {"Content-Type": "application/json"} if asked.body is not None else {}
    return {**token, **content, **dict(asked.headers)}


def _curl(asked: TrialRequest, base: str, who: str) -> str:
    parts = ["curl"] if asked.method == "GET" else [f"curl -X {asked.method}"]
    if who == "me":
        parts.append(f"-b session_id={_SESSION}")
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(asked, who).items()]
    if asked.body is not None:
        parts.append(f"--data-binary @{_FILE}" if _is_long(asked) else f"--data-raw {shlex.quote(asked.body)}")
    token = f"# A token: curl -u CLIENT_ID:CLIENT_SECRET -X POST {shlex.quote(f'{base}/api/oauth2/token')}\n"
    lines = [*parts, shlex.quote(_address(asked, base))]
    return (token if who == "client" else "") + " \\\n  ".join(lines)


def _python(asked: TrialRequest, base: str, who: str) -> str:
    document = _document(asked)
    headers = _headers(asked, who)
    if document is not None:
        headers.pop("Content-Type", None)  # json= says it
    arguments = [repr(f"{base}{asked.path}")]
    for name, value in (
        ("params", dict(asked.query)),
        ("headers", headers),
        ("cookies", {"session_id": _SESSION} if who == "me" else {}),
    ):
        if value:
            arguments.append(f"{name}={_literal(value)}")
    if document is not None:
        arguments.append(f"json={_literal(document[0])}")
    elif asked.body is not None:
        arguments.append(f'data=open("{_FILE}", "rb")' if _is_long(asked) else f"data={asked.body!r}.encode()")
    arguments.append("timeout=30")
    inside = "".join(f"    {argument},\n" for argument in arguments)
    call = f"answer = requests.{asked.method.lower()}(\n{inside})"
    return f"import requests\n\n{call}\nprint(answer.status_code, answer.json())"


def _javascript(asked: TrialRequest, base: str, who: str) -> str:
    options = []
    if asked.method != "GET":
        options.append(f'method: "{asked.method}"')
    headers = _headers(asked, who)
    if headers:
        options.append(f"headers: {_json(headers)}")
    if who == "me":
        options.append('credentials: "include"')  # the browser has the session and shows it to no script
    if asked.body is not None:
        document = _document(asked)
        text = f"JSON.stringify({_json(document[0])})" if document is not None else _json(asked.body)
        options.append("body: CONTENT_OF_BODY_JSON" if _is_long(asked) else f"body: {text}")
    inside = "".join(f"  {option},\n" for option in options)
    more = f", {{\n{inside}}}" if options else ""
    return (
        f"const answer = await fetch({_json(_address(asked, base))}{more});\n"
        "console.log(answer.status, await answer.json());"
    )


def _is_long(asked: TrialRequest) -> bool:
    return len(asked.body or "") > _LONGEST


def _document(asked: TrialRequest) -> tuple[Any] | None:
    """Return the body's JSON, in a tuple because it may be null.

    None where it is too long to be shown, or not what the server takes as JSON: half a character, infinity.
    """
    if asked.body is None or _is_long(asked):
        return None
    try:
        orjson.loads(asked.body)
        document = json.loads(asked.body)  # whole numbers of any size, as they were typed
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return (document,)


def _literal(value: Any) -> str:
    """Return a Python literal, whose lines fit under an argument."""
    return pprint.pformat(value, width=90, sort_dicts=False).replace("\n", "\n    ")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
