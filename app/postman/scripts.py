"""The JavaScript that runs inside Postman and newman, around each request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.json import dumps

#: Before every request: fetch a token where client credentials are set and the last one is gone, and send it along.
BEFORE_EACH = """\
const send = (token) => pm.request.headers.upsert({key: "Authorization", value: `Bearer ${token}`});
const clientId = pm.variables.get("client_id");
const given = pm.variables.get("api_key");
if (given) {
  send(given);
} else if (clientId) {
  const token = pm.collectionVariables.get("access_token");
  const expires = Number(pm.collectionVariables.get("access_token_expires") || 0);
  if (token && Date.now() < expires) {
    send(token);
  } else {
    pm.sendRequest({
      url: pm.variables.get("base_url") + "/api/oauth2/token",
      method: "POST",
      header: {"Content-Type": "application/x-www-form-urlencoded"},
      body: {mode: "urlencoded", urlencoded: [
        {key: "grant_type", value: "client_credentials"},
        {key: "client_id", value: clientId},
        {key: "client_secret", value: pm.variables.get("client_secret")},
      ]},
    }, (error, response) => {
      const answer = error ? {} : response.json();
      if (!answer.access_token) {
        throw new Error("No token: " + (error || response.text()));
      }
      pm.collectionVariables.set("access_token", answer.access_token);
      pm.collectionVariables.set("access_token_expires", Date.now() + (answer.expires_in - 10) * 1000);
      send(answer.access_token);
    });
  }
}
"""


def event(listen: str, script: str) -> dict[str, Any]:
    """Return a script for ``prerequest`` or ``test``."""
    return {"listen": listen, "script": {"type": "text/javascript", "exec": script.splitlines()}}


def set_unless_known(variable: str, value: Any) -> str:
    """Return the script that gives a variable a value where no request before has given it one."""
    known, given = text(variable), text(value)
    return f"if (!pm.collectionVariables.get({known})) {{ pm.collectionVariables.set({known}, {given}); }}"


def keep(variable: str, expression: str) -> str:
    """Return the script that keeps an id of an answer, and that it was seen: what follows has to find the record."""
    return "\n".join(
        f"pm.collectionVariables.set({text(name)}, {value});"
        for name, value in ((variable, expression), (seen(variable), '"yes"'))
    )


def forget(*variables: str) -> str:
    """Return the script that forgets ids of records that are gone."""
    names = [name for variable in variables for name in (variable, seen(variable))]
    return "\n".join(f"pm.collectionVariables.unset({text(name)});" for name in names)


def seen(variable: str) -> str:
    """Return the variable that says that an id comes from an answer."""
    return f"{variable}_seen"


def text(value: Any) -> str:
    """Return a value as JavaScript has it."""
    return dumps(value).decode()


#: What may be answered as documented, whatever is asked.
_TOLD = """\
const told = {
  forbidden: "the executing user lacks a right, and the answer says so",
  read_only: "the method changes data, and a GET of it is told so",
  rate_limit: "the API's rate is used up, and the answer says so",
}[answer.error?.data?.name];"""


def answer_test(
    statuses: Iterable[int], *, refusable: bool = False, unseen: Iterable[str] = (), then: str = ""
) -> dict[str, Any]:
    """Return the test of an answer: its status, its envelope, and what to do with its result (``then``).

    Missing rights of the executing user, a GET of a method that writes, and a rate that is used up are answers as
    documented: the test says so in its name. ``refusable`` says that Odoo's own rules may say no. Records need not be
    found while not all of the ids in ``unseen`` come from an answer: the others are examples.
    """
    expected = sorted({*statuses, *((200, 422) if refusable else ())})
    conditions = " && ".join(f"pm.collectionVariables.get({text(seen(name))})" for name in unseen)
    missing = f"if (!({conditions})) {{ expected.push(404); }}\n" if conditions else ""
    good = "" if refusable else '  if (pm.response.code === 200) { pm.expect(answer).to.have.property("result"); }\n'
    done = f'if ("result" in answer) {{\n{then}\n}}' if then else ""
    return event(
        "test",
        f"""\
const answer = pm.response.json();
{_TOLD}
const expected = {expected};
{missing}pm.test(told || `the status is one of ${{expected.join(", ")}}`, () => {{
  if (!told) {{ pm.expect(pm.response.code).to.be.oneOf(expected); }}
}});
pm.test("the answer is an envelope", () => {{
  pm.expect(answer.jsonrpc).to.equal("2.0");
  pm.expect("result" in answer).to.not.equal("error" in answer);
{good}}});
pm.test("the request can be traced", () => pm.response.to.have.header("X-Request-ID"));
{done}""",
    )


def stream_test(media_type: str) -> dict[str, Any]:
    """Return the test of an answer that is no envelope, but data of a media type."""
    return event(
        "test",
        f"""\
const type = pm.response.headers.get("Content-Type").split(";")[0];
const answer = type === "application/json" ? pm.response.json() : {{}};
{_TOLD}
pm.test(told || "the status is 200", () => {{
  if (!told) {{ pm.response.to.have.status(200); }}
}});
pm.test("the answer is what was asked for", () => {{
  if (!told) {{ pm.expect(type).to.equal({text(media_type)}); }}
}});
pm.test("the request can be traced", () => pm.response.to.have.header("X-Request-ID"));""",
    )
