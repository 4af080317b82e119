"""The switches of Odoo's own RPC, against Odoo's own server with two workers."""

from __future__ import annotations

import http.client
import json
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from lxml import html

from tests.addon.conftest import OdooServer
from tests.server.conftest import Server

pytestmark = pytest.mark.live

PROTOCOLS = {"xmlrpc", "xmlrpc_2", "jsonrpc", "json_2"}
REFUSED = "{} is switched off on this server. Please use an API that was published for you."


class Switches:
    """The switches in the panel's settings, as an admin has them in a browser."""

    def __init__(self, server: Server) -> None:
        self.panel = f"{server.url}/admin"
        self.url = f"{self.panel}/settings/odoo"
        self.session = server.session()

    def form(self) -> Any:
        """Return the form as it is shown."""
        page = html.fromstring(self.session.get(self.url, timeout=30).text)
        return next(form for form in page.forms if "refused" in form.fields)

    def refused(self) -> set[str]:
        """Return the protocols that it shows as refused."""
        return set(self.form().xpath(".//input[@name='refused'][@checked]/@value"))

    def refuse(self, *protocols: str) -> None:
        """Save it with these protocols refused, and all others allowed."""
        form = self.form()
        data = {"csrf_token": form.fields["csrf_token"], "refused": protocols}
        answer = self._send(data)
        if answer.status_code == 200:  # it asks before it closes what is open
            page = html.fromstring(answer.text)
            assert "Close Odoo's own RPC?" in page.text_content()
            asked = page.xpath("//main//form")[0]
            assert asked.xpath(".//input[@name='refused']/@value") == list(protocols)
            answer = self._send(data | {"confirmed": asked.fields["confirmed"]})
        assert answer.status_code == 303, answer.text

    def _send(self, data: dict[str, Any]) -> requests.Response:
        return self.session.post(self.url, data=data, allow_redirects=False, timeout=30)


@pytest.fixture
def switches(server: Server) -> Iterator[Switches]:
    """The switches in Gatehouse's panel; after the test all protocols are open again."""
    switches = Switches(server)
    yield switches
    switches.refuse()


def calls(odoo: OdooServer, *, bound: bool = True) -> dict[str, Callable[[], bool]]:
    """Return for each protocol a call: True where it is served, False where it is refused in the protocol's own form.

    Calls that are ``bound`` to the database by their request ask for Odoo's version; JSON/2, which has no such call,
    gets as far as the key. The others name the database among their arguments, and count partners.
    """
    count = (odoo.database, 2, "admin", "res.partner", "search_count", [[]])

    def xml(path: str, refusal: tuple[object, str]) -> bool:
        try:
            if bound:
                return bool(odoo.xmlrpc(f"{path}/common").version())
            return bool(odoo.xmlrpc(f"{path}/object", bound=False).execute_kw(*count))
        except xmlrpc.client.Fault as fault:
            found = (fault.faultCode, fault.faultString)
        return _is(found, refusal)

    def jsonrpc() -> bool:
        call = ("common", "version") if bound else ("object", "execute_kw", *count)
        answer = odoo.jsonrpc(*call, bound=bound)
        assert answer["id"] == 5
        return "error" not in answer or _is(answer["error"]["data"]["message"], REFUSED.format("JSON-RPC (/jsonrpc)"))

    def json_2() -> bool:
        answer = odoo.post("/json/2/res.partner/search_count", {"domain": []}, Authorization="Bearer none")
        if answer.status_code == 401:
            return True
        return _is((answer.status_code, answer.json()["message"]), (403, REFUSED.format("JSON/2 (/json/2)")))

    first = f"warning -- AccessError\n\n{REFUSED.format('XML-RPC 1 (/xmlrpc)')}"
    found = {
        "xmlrpc": lambda: xml("/xmlrpc", (first, "")),
        "xmlrpc_2": lambda: xml("/xmlrpc/2", (4, REFUSED.format("XML-RPC 2 (/xmlrpc/2)"))),
        "jsonrpc": jsonrpc,
    }
    return {**found, "json_2": json_2} if bound else found


def _is(found: object, refusal: object) -> bool:
    """Return False for the one refusal that is expected; anything else fails the test."""
    assert found == refusal
    return False


def served(odoo: OdooServer, *, bound: bool = True) -> set[str]:
    """Return the protocols whose calls are served."""
    return {key for key, call in calls(odoo, bound=bound).items() if call()}


def test_each_switch_closes_its_own_protocol_and_no_other(odoo: OdooServer, switches: Switches) -> None:
    assert served(odoo) == PROTOCOLS
    for key in PROTOCOLS:
        switches.refuse(key)
        assert served(odoo) == PROTOCOLS - {key}


def test_a_call_that_names_its_database_in_the_body_is_refused_too(odoo: OdooServer, switches: Switches) -> None:
    protocols = PROTOCOLS - {"json_2"}  # JSON/2 has no such calls
    assert served(odoo, bound=False) == protocols
    for key in protocols:
        switches.refuse(key)
        assert served(odoo, bound=False) == protocols - {key}


def test_a_login_that_names_its_database_in_the_body_is_refused_and_not_just_wrong(
    odoo: OdooServer, switches: Switches
) -> None:
    login = (odoo.database, "admin", "admin", {})
    assert odoo.xmlrpc("/xmlrpc/2/common", bound=False).authenticate(*login) == 2
    switches.refuse("xmlrpc_2", "jsonrpc")
    with pytest.raises(xmlrpc.client.Fault, match="switched off"):
        odoo.xmlrpc("/xmlrpc/2/common", bound=False).authenticate(*login)
    assert "switched off" in str(odoo.jsonrpc("common", "authenticate", *login, bound=False)["error"])


@pytest.mark.parametrize("host", ["odoo.test", "x/?", "x#", "a@b/c?", "odoo.test/web/login?"])
def test_no_disguise_of_the_address_gets_a_call_through(odoo: OdooServer, switches: Switches, host: str) -> None:
    switches.refuse(*PROTOCOLS)
    count = (odoo.database, 2, "admin", "res.partner", "search_count", [[]])
    params = {"service": "object", "method": "execute_kw", "args": count}
    bodies = {
        "application/json": json.dumps({"jsonrpc": "2.0", "params": params}),
        "text/xml": xmlrpc.client.dumps(count, "execute_kw"),
    }
    paths = {
        "application/json": ("/jsonrpc", "/jsonrpc/", "//jsonrpc", "/%6asonrpc", "/jsonrpc?x=/web/login"),
        "text/xml": (
            "/xmlrpc/object",
            "/xmlrpc/object/",
            "/xmlrpc/2/object",
            "/xmlrpc/%32/object",
            "//xmlrpc/2/object",
        ),
    }
    for kind, body in bodies.items():
        for path in paths[kind]:
            for binding in ({}, dict([odoo.header])):
                connection = http.client.HTTPConnection(odoo.url.removeprefix("http://"), timeout=30)
                connection.request("POST", path, body, {"Host": host, "Content-Type": kind, **binding})
                answer = connection.getresponse().read().decode()
                connection.close()
                assert "is switched off on this server" in answer, (path, binding)


def test_a_refusal_is_logged_with_address_and_path_and_without_what_was_sent(
    odoo: OdooServer, switches: Switches
) -> None:
    switches.refuse("xmlrpc_2")
    with pytest.raises(xmlrpc.client.Fault):
        odoo.xmlrpc("/xmlrpc/2/common").authenticate(odoo.database, "somebody", "their secret", {})
    said = odoo.lines("^Refused")[-1]
    assert said["level"] == "WARNING"
    assert said["message"] == "Refused XML-RPC 2: POST '/xmlrpc/2/common' from 127.0.0.1"
    assert "their secret" not in odoo.log.read_text()


def test_a_switch_is_obeyed_at_once_by_both_workers(odoo: OdooServer, switches: Switches) -> None:
    calling = Calling(odoo)
    assert calling.until_both_workers_answered() == {True}
    for refused in (True, False, True):
        switches.refuse(*(["jsonrpc"] if refused else []))
        assert calling.until_both_workers_answered() == {not refused}


def test_odoos_settings_page_is_obeyed_as_well_and_the_web_client_works_on(
    odoo: OdooServer, switches: Switches
) -> None:
    session = odoo.session()

    def call_kw(model: str, method: str, *arguments: Any) -> Any:
        body = {"params": {"model": model, "method": method, "args": list(arguments), "kwargs": {}}}
        answer = session.post(f"{odoo.url}/web/dataset/call_kw", json=body, timeout=60).json()
        assert "error" not in answer, answer
        return answer["result"]

    page = call_kw("res.config.settings", "create", {f"gatehouse_refuse_{key}": True for key in PROTOCOLS})
    call_kw("res.config.settings", "execute", [page])
    assert served(odoo) == set()
    assert switches.refused() == PROTOCOLS
    assert call_kw("res.partner", "search_count", []) > 0
    assert session.get(f"{odoo.url}/odoo", timeout=60).status_code == 200


def test_the_panels_audit_tells_who_switched_what(switches: Switches) -> None:
    switches.refuse("jsonrpc", "json_2")
    switches.refuse("json_2")
    file = switches.session.get(f"{switches.panel}/audit/data.jsonl?of=definitions", timeout=30).text
    rows = sorted(map(json.loads, file.splitlines()), key=lambda row: row["at"])
    before, newest = rows[-2:]
    assert (newest["actor"], newest["kind"], newest["name"]) == ("admin", "odoo", "RPC")
    both = {"/xmlrpc": "open", "/xmlrpc/2": "open", "/jsonrpc": "refused", "/json/2": "refused"}
    assert before["after"] == newest["before"] == both
    assert newest["after"] == {**both, "/jsonrpc": "open"}
    page = switches.session.get(f"{switches.panel}/audit/definitions", timeout=30).text
    assert "/jsonrpc: refused → open" in page


def test_a_protocol_that_is_not_there_cannot_be_switched(switches: Switches) -> None:
    data = {"csrf_token": switches.form().fields["csrf_token"], "refused": ["jsonrpc", "gopher"]}
    answer = switches.session.post(switches.url, data=data, timeout=30)
    assert answer.status_code == 400
    assert switches.refused() == set()


class Calling:
    """Calls from four clients at once, so that Odoo has to answer with both of its processes."""

    def __init__(self, odoo: OdooServer) -> None:
        self.odoo = odoo
        self.call = calls(odoo)["jsonrpc"]

    def until_both_workers_answered(self) -> set[bool]:
        """Return the different answers that came by the time when both processes had given some."""
        said = len(self._lines())
        answers: set[bool] = set()
        deadline = time.monotonic() + 30
        with ThreadPoolExecutor(4) as pool:
            while len({line["pid"] for line in self._lines()[said:]}) < 2:
                assert time.monotonic() < deadline, "one of the two processes answers nothing"
                answers.update(pool.map(lambda _: self.call(), range(8)))
        return answers

    def _lines(self) -> list[dict[str, str]]:
        return self.odoo.lines('"POST /jsonrpc')
