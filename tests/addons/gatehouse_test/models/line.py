from odoo import fields, models


class Line(models.Model):
    _name = "test.line"
    _description = "Test Line"
    _order = "sequence, id"

    record_id = fields.Many2one("test.record", required=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True)
    price = fields.Float()
    tag_id = fields.Many2one("test.tag")
    internal = fields.Char()
