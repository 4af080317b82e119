import logging

from odoo import models
from odoo.http import Response, request
from werkzeug.exceptions import abort

from .. import protocols

_logger = logging.getLogger(__name__)


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Refuse calls of a protocol that is closed, before anybody looks at who calls."""
        protocol = protocols.of_routes(endpoint.routing.get("routes") or ())
        if protocol and protocol.key in request.env["gatehouse.rpc"]._refused():
            call = request.httprequest
            _logger.warning("Refused %s: %s %r from %s", protocol.label, call.method, call.path, call.remote_addr)
            request.session.can_save = False  # no session begins with a refusal
            answer = protocol.answer(protocol.message, call.get_data())
            abort(Response(answer.body, status=answer.status, mimetype=answer.mimetype))
        return super()._authenticate(endpoint)

    def session_info(self):
        """Tell the web client of an admin whether it offers to expose models."""
        info = super().session_info()
        if self.env["res.config.settings"]._gatehouse_exposes():
            info["gatehouse_expose_api"] = True
        return info
