from odoo import fields, models


class Tag(models.Model):
    _name = "test.tag"
    _description = "Test Tag"

    name = fields.Char(required=True, translate=True)
    color = fields.Integer()
    record_ids = fields.Many2many("test.record")
