import logging

from odoo import api, models

from ..protocols import PROTOCOLS

_logger = logging.getLogger(__name__)


class GatehouseRpc(models.AbstractModel):
    """The switches of Odoo's own RPC. Its methods are private: nothing reaches them from outside."""

    _name = "gatehouse.rpc"
    _description = "Switches of Odoo's own RPC"

    @api.model
    def _refused(self):
        """Return the keys of the protocols that are closed.

        Read from the database for each call of RPC, and for nothing else: a cache could be out of date where a call
        names its database in its body, because Odoo looks for signals of other processes only afterwards.
        """
        self.env["ir.config_parameter"].flush_model(["key", "value"])
        keys = {protocol.parameter: protocol.key for protocol in PROTOCOLS}
        self.env.cr.execute("SELECT key FROM ir_config_parameter WHERE key = ANY(%s)", [list(keys)])
        return {keys[parameter] for (parameter,) in self.env.cr.fetchall()}

    @api.model
    def _switches(self):
        """Return ``[{"key", "label", "path", "refused"}, …]``, for a page that shows them."""
        refused = self._refused()
        return [
            {
                "key": protocol.key,
                "label": protocol.label,
                "path": protocol.path,
                "refused": protocol.key in refused,
            }
            for protocol in sorted(PROTOCOLS, key=lambda protocol: protocol.key)
        ]

    @api.model
    def _switch(self, refused):
        """Close the protocols with these keys, and open all others."""
        before = self._refused()
        parameters = self.env["ir.config_parameter"].sudo()
        for protocol in PROTOCOLS:
            parameters.set_param(protocol.parameter, protocol.key in refused)
        self._log_change(before)

    @api.model
    def _log_change(self, before):
        """Write to the log what differs from the keys that were closed before."""
        after = self._refused()
        for protocol in PROTOCOLS:
            if (protocol.key in before) != (protocol.key in after):
                state = "refused" if protocol.key in after else "open"
                who = self.env.user.login
                _logger.warning("%s (%s) is %s from now on, by %s", protocol.label, protocol.path, state, who)
