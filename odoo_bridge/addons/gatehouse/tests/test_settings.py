from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from .. import uninstall_hook
from ..protocols import PROTOCOLS


@tagged("post_install", "-at_install")
class TestSettings(TransactionCase):
    """Odoo's Settings page sets what the server reads."""

    def save(self, **values):
        self.env["res.config.settings"].create(values).execute()

    def test_each_protocol_has_its_switch(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol.key):
                self.save(**{f"gatehouse_refuse_{protocol.key}": True})
                self.assertEqual(self.env["gatehouse.rpc"]._refused(), {protocol.key})
                self.save(**{f"gatehouse_refuse_{protocol.key}": False})
                self.assertEqual(self.env["gatehouse.rpc"]._refused(), set())

    def test_the_log_tells_who_switched_what(self):
        logger = "odoo.addons.gatehouse.models.gatehouse_rpc"
        with self.assertLogs(logger, "WARNING") as logs:
            self.save(gatehouse_refuse_jsonrpc=True)
        self.assertEqual(len(logs.output), 1)
        self.assertIn(f"JSON-RPC (/jsonrpc) is refused from now on, by {self.env.user.login}", logs.output[0])
        with self.assertNoLogs(logger, "WARNING"):
            self.save(gatehouse_refuse_jsonrpc=True)

    def test_settings_show_what_another_page_has_set(self):
        self.env["gatehouse.rpc"]._switch({"jsonrpc"})
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings.gatehouse_refuse_jsonrpc)
        self.assertFalse(settings.gatehouse_refuse_json_2)

    def test_only_an_address_can_be_the_panels(self):
        for text in (
            "javascript:alert(1)",
            "//evil.test/",
            "admin",
            "https:///x",
            "/admin/?next=x",
            "http://[/",
            "/\\evil",
        ):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.save(gatehouse_panel_url=text)

    def test_the_panels_address_ends_in_one_slash(self):
        settings = self.env["res.config.settings"]
        self.assertEqual(settings._gatehouse_panel(), "/admin/")
        for text in ("https://api.test/admin", "https://api.test/admin/"):
            self.save(gatehouse_panel_url=text)
            self.assertEqual(settings._gatehouse_panel(), "https://api.test/admin/")

    def test_an_address_that_was_set_past_the_settings_is_not_followed(self):
        self.env["ir.config_parameter"].set_param("gatehouse.panel_url", "javascript:alert(1)")
        self.assertEqual(self.env["res.config.settings"]._gatehouse_panel(), "/admin/")

    def test_what_was_set_goes_with_the_addon(self):
        self.save(gatehouse_refuse_jsonrpc=True, gatehouse_panel_url="https://api.test/")
        uninstall_hook(self.env)
        self.assertEqual(self.env["gatehouse.rpc"]._refused(), set())
        self.assertFalse(self.env["ir.config_parameter"].get_param("gatehouse.panel_url"))
