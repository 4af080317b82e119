"""The same call as curl, Python and JavaScript, to copy; where a secret has to stand, its name stands."""

from __future__ import annotations

import json
import pprint
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from app.blueprints.admin.console.inputs import JSON
from app.blueprints.admin.console.trial_request import TrialRequest
from app.openapi import curl

#: Placeholders of secrets.
_TOKEN, _SESSION = "ACCESS_TOKEN", "SESSION_ID"


@dataclass(frozen=True, slots=True)
class Entrance:
    """A way in for a program: as a person, as a client app, or as nobody in particular.

    ``name`` is the login or the client id, never a secret; ``database`` is what a person logs in to.
    """

    kind: Literal["person", "client", "nobody"]
    name: str = ""
    database: str = ""


NOBODY = Entrance("nobody")


def snippets(asked: TrialRequest, base: str, entrance: Entrance) -> dict[str, str]:
    """Return the programs by language, with all that it takes to get in. ``base`` is the server's address."""
    return {
        **_curls(asked, base, entrance),
        "Python": _python(asked, base, entrance.kind),
        "JavaScript": _javascript(asked, base, entrance.kind),
    }


def _curls(asked: TrialRequest, base: str, entrance: Entrance) -> dict[str, str]:
    """Return whole commands, by what one gets in with."""
    if entrance.kind == "client":
        token = f"# A token, which is good for a while.\n{curl.token(base, entrance.name)}\n\n# The call.\n"
        return {"curl, with a token": token + _curl(asked, base, curl.AS_CLIENT)}
    if entrance.kind == "person":
        log_in = f"# The session, which stays in the file {curl.JAR}.\n"
        log_in += f"{curl.log_in(base, entrance.database, entrance.name)}\n\n# The call.\n"
        return {
            "curl, with a password": log_in + _curl(asked, base, curl.BY_SESSION),
            "curl, with an API key": _curl(asked, base, curl.BY_KEY),
        }
    return {"curl": _curl(asked, base)}


def _address(asked: TrialRequest, base: str) -> str:
    return f"{base}{asked.path}" + (f"?{asked.query_string}" if asked.query else "")


def _headers(asked: TrialRequest) -> dict[str, str]:
    content = {"Content-Type": asked.media_type} if asked.body is not None else {}
    return {**content, **dict(asked.headers)}


def _with_token(asked: TrialRequest, who: str) -> dict[str, str]:
    token = {"Authorization": f"Bearer {_TOKEN}"} if who == "client" else {}
    return {**token, **_headers(asked)}


def _curl(asked: TrialRequest, base: str, credentials: str = "") -> str:
    return curl.call(asked.method, _address(asked, base), credentials, _headers(asked), asked.body)


def _python(asked: TrialRequest, base: str, who: str) -> str:
    document = _document(asked)
    headers = _with_token(asked, who)
    if document is not None:
        headers.pop("Content-Type", None)  # json= says it
    arguments = [repr(f"{base}{asked.path}")]
    for name, value in (
        ("params", dict(asked.query)),
        ("headers", headers),
        ("cookies", {"session_id": _SESSION} if who == "person" else {}),
    ):
        if value:
            arguments.append(f"{name}={_literal(value)}")
    if document is not None:
        arguments.append(f"json={_literal(document[0])}")
    elif asked.body is not None:
        arguments.append(f'data=open("{curl.BODY_FILE}", "rb")' if _is_long(asked) else f"data={asked.body!r}.encode()")
    arguments.append("timeout=30")
    inside = "".join(f"    {argument},\n" for argument in arguments)
    call = f"answer = requests.{asked.method.lower()}(\n{inside})"
    content = "json()" if asked.media_type == JSON else "text"
    return f"import requests\n\n{call}\nprint(answer.status_code, answer.{content})"


def _javascript(asked: TrialRequest, base: str, who: str) -> str:
    options = []
    if asked.method != "GET":
        options.append(f'method: "{asked.method}"')
    headers = _with_token(asked, who)
    if headers:
        options.append(f"headers: {_json(headers)}")
    if who == "person":
        options.append('credentials: "include"')  # the browser has the session and shows it to no script
    if asked.body is not None:
        document = _document(asked)
        text = f"JSON.stringify({_json(document[0])})" if document is not None else _json(asked.body)
        options.append("body: CONTENT_OF_BODY_JSON" if _is_long(asked) else f"body: {text}")
    inside = "".join(f"  {option},\n" for option in options)
    more = f", {{\n{inside}}}" if options else ""
    return (
        f"const answer = await fetch({_json(_address(asked, base))}{more});\n"
        f"console.log(answer.status, await answer.{'json' if asked.media_type == JSON else 'text'}());"
    )


def _is_long(asked: TrialRequest) -> bool:
    return len(asked.body or "") > curl.LONGEST


def _document(asked: TrialRequest) -> tuple[Any] | None:
    """Return the body's JSON, in a tuple because it may be null.

    None where it is too long to be shown, or not what the server takes as JSON: half a character, infinity.
    """
    if asked.body is None or asked.media_type != JSON or _is_long(asked):
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
