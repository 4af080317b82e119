from urllib.parse import urlencode

from odoo.exceptions import AccessError
from odoo.http import Controller, request, route


class Panel(Controller):
    """The way from Odoo to the panel, for admins. The panel itself asks again who comes."""

    @route("/gatehouse/panel", type="http", auth="user", methods=["GET"], readonly=True)
    def panel(self, api=""):
        """Go to the panel, or to its numbers of one API."""
        return self._go(f"analytics/?api={int(api)}" if api.isdecimal() and len(api) < 10 else "")

    @route("/gatehouse/expose", type="http", auth="user", methods=["GET"], readonly=True)
    def expose(self, model="", fields=""):
        """Go to the panel's form for a new API of a model; ``fields`` are names with commas between them."""
        if not request.env["res.config.settings"]._gatehouse_exposes():
            raise AccessError(request.env._("Only admins expose models, and only where the settings offer it."))
        return self._go("apis/new?" + urlencode({"model": model, "fields": fields}))

    def _go(self, page):
        if not request.env.user._is_system():
            raise AccessError(request.env._("The panel is for members of the group Settings."))
        address = request.env["res.config.settings"]._gatehouse_panel()
        return request.redirect(f"{address}{page}", local=False)
