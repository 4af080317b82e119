import json
import xmlrpc.client

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..protocols import PROTOCOLS, in_address, of_routes

LOG = "odoo.addons.gatehouse.models.ir_http"


@tagged("post_install", "-at_install")
class TestRpc(HttpCase):
    """Each switch closes its own protocol, in the protocol's own form."""

    def switch(self, *refused):
        self.env["gatehouse.rpc"]._switch(refused)
        self.env.flush_all()

    def xml(self, path):
        body = xmlrpc.client.dumps((), "version")
        with mute_logger("odoo.addons.rpc.controllers.xmlrpc"):
            return self.url_open(path, data=body, headers={"Content-Type": "text/xml"})

    def json(self, path, body, **headers):
        with mute_logger("odoo.addons.rpc.controllers.jsonrpc"):
            return self.url_open(path, data=json.dumps(body), headers={"Content-Type": "application/json", **headers})

    def test_all_is_open_after_installation(self):
        self.assertEqual(self.env["gatehouse.rpc"]._refused(), set())
        self.assertFalse(any(switch["refused"] for switch in self.env["gatehouse.rpc"]._switches()))

    def test_xmlrpc_1(self):
        self.switch("xmlrpc")
        with self.assertLogs(LOG, "WARNING") as logs, self.assertRaises(xmlrpc.client.Fault) as caught:
            xmlrpc.client.loads(self.xml("/xmlrpc/common").content)
        self.assertTrue(caught.exception.faultCode.startswith("warning -- AccessError"))
        self.assertIn("/xmlrpc", caught.exception.faultCode)
        self.assertIn("'/xmlrpc/common' from 127.0.0.1", logs.output[0])
        self.assertIn("server_version", self.xml("/xmlrpc/2/common").text)

    def test_xmlrpc_2(self):
        self.switch("xmlrpc_2")
        with self.assertLogs(LOG, "WARNING"), self.assertRaises(xmlrpc.client.Fault) as caught:
            xmlrpc.client.loads(self.xml("/xmlrpc/2/object").content)
        self.assertEqual(caught.exception.faultCode, 4)
        self.assertIn("server_version", self.xml("/xmlrpc/common").text)

    def test_jsonrpc(self):
        call = {"jsonrpc": "2.0", "id": 7, "params": {"service": "common", "method": "version", "args": []}}
        self.assertIn("result", self.json("/jsonrpc", call).json())
        self.switch("jsonrpc")
        with self.assertLogs(LOG, "WARNING"):
            answer = self.json("/jsonrpc", call).json()
        self.assertEqual(answer["id"], 7)
        self.assertEqual(answer["error"]["code"], 403)
        self.assertEqual(answer["error"]["data"]["debug"], "")

    def test_jsonrpc_refuses_what_is_no_json(self):
        self.switch("jsonrpc")
        with self.assertLogs(LOG, "WARNING"):
            answer = self.url_open("/jsonrpc", data="[[", headers={"Content-Type": "application/json"})
        self.assertIsNone(answer.json()["id"])

    def test_json_2(self):
        self.assertEqual(self.json("/json/2/res.partner/search", {}).status_code, 401)
        self.switch("json_2")
        with self.assertLogs(LOG, "WARNING"):
            answer = self.json("/json/2/res.partner/search", {}, Authorization="Bearer wrong")
        self.assertEqual(answer.status_code, 403, "refused before the key is looked at")
        self.assertEqual(answer.json()["name"], "odoo.exceptions.AccessError")

    def test_a_refusal_begins_no_session(self):
        self.switch("xmlrpc_2")
        self.opener.cookies.clear()
        with self.assertLogs(LOG, "WARNING"):
            answer = self.xml("/xmlrpc/2/common")
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_web_client_works_with_all_closed(self):
        self.switch(*(protocol.key for protocol in PROTOCOLS))
        self.authenticate("admin", "admin")
        params = {"model": "res.partner", "method": "search_count", "args": [[]], "kwargs": {}}
        answer = self.json("/web/dataset/call_kw", {"jsonrpc": "2.0", "params": params}).json()
        self.assertGreater(answer["result"], 0)

    def test_the_routes_of_the_module_rpc_are_all_known(self):
        rules = self.env["ir.http"].routing_map().iter_rules()
        found = {
            rule.rule: protocol.key
            for rule in rules
            if (protocol := of_routes(rule.endpoint.routing["routes"])) is not None
        }
        expected = {
            "/xmlrpc/<service>": "xmlrpc",
            "/xmlrpc/2/<service>": "xmlrpc_2",
            "/jsonrpc": "jsonrpc",
            "/json/2": "json_2",
            "/json/2/<path:subpath>": "json_2",
            "/json/2/<__model__>/<__method__>": "json_2",
        }
        self.assertEqual(found, expected)

    def test_an_address_cannot_hide_the_path_that_it_ends_in(self):
        for host in ("odoo.test", "x/?", "x#", "xmlrpc/2/x"):
            keys = [protocol.key for protocol in in_address(f"http://{host}/xmlrpc/2/object")]
            self.assertIn("xmlrpc_2", keys)
        self.assertEqual([protocol.key for protocol in in_address("http://odoo.test/xmlrpc/object")], ["xmlrpc"])
        self.assertEqual(in_address("http://odoo.test/web/login"), [])
