from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestPanel(HttpCase):
    """The way to the panel is there for admins alone."""

    def setUp(self):
        super().setUp()
        self.parameters = self.env["ir.config_parameter"]
        self.parameters.set_param("gatehouse.panel_url", "https://api.test/admin/")

    def go(self, path):
        with mute_logger("odoo.http"):
            return self.url_open(path, allow_redirects=False)

    def employee(self):
        new_test_user(self.env, "employee", "base.group_user", password="employee")
        self.authenticate("employee", "employee")

    def test_an_admin_gets_to_the_panel(self):
        self.authenticate("admin", "admin")
        answer = self.go("/gatehouse/panel")
        self.assertEqual((answer.status_code, answer.headers["Location"]), (303, "https://api.test/admin/"))

    def test_the_panels_numbers_of_an_api_are_linked_to(self):
        self.authenticate("admin", "admin")
        for api, page in (("7", "analytics/?api=7"), ("7/../x", ""), ("-1", ""), ("9" * 20, "")):
            answer = self.go(f"/gatehouse/panel?api={api}")
            self.assertEqual(answer.headers["Location"], f"https://api.test/admin/{page}")

    def test_nobody_else_does(self):
        self.assertIn("/web/login", self.go("/gatehouse/panel").headers["Location"])
        self.employee()
        self.assertEqual(self.go("/gatehouse/panel").status_code, 403)

    def test_the_form_is_opened_with_the_model_and_the_fields(self):
        self.parameters.set_param("gatehouse.expose_action", True)
        self.authenticate("admin", "admin")
        answer = self.go("/gatehouse/expose?model=res.partner&fields=name,email")
        expected = "https://api.test/admin/apis/new?model=res.partner&fields=name%2Cemail"
        self.assertEqual((answer.status_code, answer.headers["Location"]), (303, expected))

    def test_the_form_is_closed_where_it_is_not_offered(self):
        self.authenticate("admin", "admin")
        self.assertEqual(self.go("/gatehouse/expose?model=res.partner").status_code, 403)
        self.parameters.set_param("gatehouse.expose_action", True)
        self.employee()
        self.assertEqual(self.go("/gatehouse/expose?model=res.partner").status_code, 403)

    def test_the_web_client_offers_it_to_admins_where_it_is_switched_on(self):
        offered = "gatehouse_expose_api"
        self.authenticate("admin", "admin")
        self.assertNotIn(offered, self.session_info())
        self.parameters.set_param("gatehouse.expose_action", True)
        self.assertTrue(self.session_info()[offered])
        self.employee()
        self.assertNotIn(offered, self.session_info())

    def test_the_menu_is_the_admins(self):
        menu = self.env.ref("gatehouse.menu_panel").id
        self.assertIn(menu, self.env["ir.ui.menu"].with_user(self.env.ref("base.user_admin"))._visible_menu_ids())
        employee = new_test_user(self.env, "clerk", "base.group_user")
        self.assertNotIn(menu, self.env["ir.ui.menu"].with_user(employee)._visible_menu_ids())

    def session_info(self):
        answer = self.url_open("/web/session/get_session_info", data="{}", headers={"Content-Type": "application/json"})
        return answer.json()["result"]
