from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

EXPOSE, PANEL = "gatehouse.expose_action", "gatehouse.panel_url"
DEFAULT_PANEL = "/admin/"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    gatehouse_refuse_xmlrpc = fields.Boolean("Refuse XML-RPC 1", config_parameter="gatehouse.refuse_xmlrpc")
    gatehouse_refuse_xmlrpc_2 = fields.Boolean("Refuse XML-RPC 2", config_parameter="gatehouse.refuse_xmlrpc_2")
    gatehouse_refuse_jsonrpc = fields.Boolean("Refuse JSON-RPC", config_parameter="gatehouse.refuse_jsonrpc")
    gatehouse_refuse_json_2 = fields.Boolean("Refuse JSON/2", config_parameter="gatehouse.refuse_json_2")
    gatehouse_expose_action = fields.Boolean("Expose API", config_parameter=EXPOSE)
    gatehouse_panel_url = fields.Char("The panel's address", config_parameter=PANEL, default=DEFAULT_PANEL)

    @api.constrains("gatehouse_panel_url")
    def _check_gatehouse_panel_url(self):
        for settings in self:
            if settings.gatehouse_panel_url and not _is_address(settings.gatehouse_panel_url.strip()):
                raise ValidationError(
                    self.env._(
                        "The panel's address is one such as https://api.example.com/admin/, or /admin/ where the panel "
                        "and Odoo share a host."
                    )
                )

    def set_values(self):
        before = self.env["gatehouse.rpc"]._refused()
        super().set_values()
        self.env["gatehouse.rpc"]._log_change(before)

    @api.model
    def _gatehouse_exposes(self):
        """True if this user is offered to expose models."""
        return self.env.user._is_system() and bool(self.env["ir.config_parameter"].sudo().get_param(EXPOSE))

    @api.model
    def _gatehouse_panel(self):
        """Return the panel's address, with a slash at its end."""
        address = self.env["ir.config_parameter"].sudo().get_param(PANEL, DEFAULT_PANEL).strip()
        return (address if _is_address(address) else DEFAULT_PANEL).rstrip("/") + "/"


def _is_address(text):
    """True if a text is a path on this host, or a whole address; nothing that a browser would run."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    path = not parts.scheme and not parts.netloc and text.startswith("/")
    return (whole or path) and not parts.query and not parts.fragment and "\\" not in text and text.isprintable()
