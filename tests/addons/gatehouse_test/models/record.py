from odoo import api, exceptions, fields, models


class Record(models.Model):
    _name = "test.record"
    _description = "Test Record"
    _order = "name, id"
    _parent_store = True

    name = fields.Char(required=True, help="What the record is called.")
    active = fields.Boolean(default=True)
    parent_id = fields.Many2one("test.record")
    child_ids = fields.One2many("test.record", "parent_id")
    parent_path = fields.Char(index=True)
    company_id = fields.Many2one("res.company")
    owner_id = fields.Many2one("res.users")

    code = fields.Char(size=5)
    notes = fields.Text()
    body = fields.Html()
    title = fields.Char(translate=True)
    count = fields.Integer()
    ratio = fields.Float()
    rounded = fields.Float(digits=(16, 2))
    amount = fields.Monetary()
    currency_id = fields.Many2one("res.currency")
    flag = fields.Boolean()
    day = fields.Date()
    moment = fields.Datetime()
    state = fields.Selection([("draft", "Draft"), ("done", "Done")])
    document = fields.Binary()
    blob = fields.Binary(attachment=False)
    picture = fields.Image()
    thumbnail = fields.Image(related="picture", max_width=32, max_height=32, store=True)
    partner_id = fields.Many2one("res.partner")
    line_ids = fields.One2many("test.line", "record_id")
    tag_ids = fields.Many2many("test.tag")
    target = fields.Reference([("res.partner", "Partner"), ("test.tag", "Tag")])
    res_model = fields.Char()
    res_id = fields.Many2oneReference(model_field="res_model")
    data = fields.Json()
    properties_definition = fields.PropertiesDefinition()
    properties = fields.Properties(definition="parent_id.properties_definition")
    per_company = fields.Char(company_dependent=True)

    doubled = fields.Integer(compute="_compute_doubled", store=True)
    length = fields.Integer(compute="_compute_length")
    partner_email = fields.Char(related="partner_id.email")

    for_managers = fields.Char(groups="base.group_system")
    door_password = fields.Char()

    _count_is_small = models.Constraint("CHECK (count < 1000000)", "The count must be less than a million.")
    _code_is_unique = models.UniqueIndex("(code)", "Another record has this code.")

    @api.depends("count")
    def _compute_doubled(self):
        for record in self:
            record.doubled = 2 * record.count

    @api.depends("name")
    def _compute_length(self):
        for record in self:
            record.length = len(record.name or "")

    @api.constrains("name")
    def _check_name(self):
        for record in self:
            if record.name == "forbidden":
                raise exceptions.ValidationError(self.env._("This name is forbidden."))

    @api.ondelete(at_uninstall=False)
    def _keep_done(self):
        if any(record.state == "done" for record in self):
            raise exceptions.UserError(self.env._("What is done can't be deleted."))
