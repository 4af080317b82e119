import logging
import threading
from urllib.parse import urlsplit

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.http import request

from .. import protocols

_logger = logging.getLogger(__name__)


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _check_uid_passwd(self, uid, passwd):
        self._gatehouse_admit()
        return super()._check_uid_passwd(uid, passwd)

    def authenticate(self, credential, user_agent_env):
        self._gatehouse_admit()
        return super().authenticate(credential, user_agent_env)

    def _gatehouse_admit(self):
        """Refuse calls of RPC that came to this database by their body and not by their request.

        XML-RPC and JSON-RPC name the database among their arguments: where a server has several, the request belongs
        to none or to another one, and ``ir.http`` of this one is never asked. Odoo takes the request away before it
        serves such a call, so what is left of it is the address that the thread remembers.
        """
        address = getattr(threading.current_thread(), "url", None)
        if request or not address:
            return
        found = protocols.in_address(address)
        refused = self.env["gatehouse.rpc"]._refused() if found else ()
        for protocol in found:
            if protocol.key in refused:
                path = urlsplit(address).path
                _logger.warning("Refused %s: %r, for a database that the call itself named", protocol.label, path)
                # Not AccessDenied, which Odoo answers to a log-in with a mere "False".
                raise AccessError(protocol.message)
