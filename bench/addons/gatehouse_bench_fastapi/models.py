from fastapi import APIRouter
from odoo import fields, models

from .routes import router


class FastapiEndpoint(models.Model):
    _inherit = "fastapi.endpoint"

    app = fields.Selection(selection_add=[("gatehouse_bench", "Bench")], ondelete={"gatehouse_bench": "cascade"})

    def _get_fastapi_routers(self) -> list[APIRouter]:
        return [router] if self.app == "gatehouse_bench" else super()._get_fastapi_routers()
