"""The JavaScript that runs inside Postman and newman, around each request."""

from __future__ import annotations

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
    known, given = dumps(variable).decode(), dumps(value).decode()
    return f"if (!pm.collectionVariables.get({known})) {{ pm.collectionVariables.set({known}, {given}); }}"


def answer_test(statuses: list[int], *, keys: str = '["result"]', then: str = "") -> dict[str, Any]:
    """Return the test of an answer: its status, its envelope, and what to remember of it (``then``)."""
    return event(
        "test",
        f"""\
const answer = pm.response.json();
pm.test("the status is one of {statuses}", () => pm.expect(pm.response.code).to.be.oneOf({statuses}));
pm.test("the answer is an envelope", () => {{
  pm.expect(answer.jsonrpc).to.equal("2.0");
  pm.expect(Object.keys(answer).filter((key) => {keys}.includes(key)).length).to.equal(1);
}});
pm.test("the request can be traced", () => pm.response.to.have.header("X-Request-ID"));
{then}""",
    )
