from odoo import fields, models
from odoo.tools import SQL

#: The columns of Gatehouse's own tables that the dashboard reads. Other versions of the tables may lack some.
_COLUMNS = {
    "api": {"id", "name", "route", "published", "document"},
    "rollup_hour": {"dimension", "at", "api_id", "failed", "calls"},
}
#: Calls of the last 24 hours, from the hour on in which they begin, as in the panel.
_COUNTED = """
    SELECT api_id, at, failed, sum(calls)::bigint AS calls
      FROM gatehouse.rollup_hour
     WHERE dimension = 'api' AND at >= date_trunc('hour', now() - interval '24 hours')
     GROUP BY api_id, at, failed
"""


class GatehouseNumbers(models.AbstractModel):
    """Base of what is read of the schema ``gatehouse``: models without a table, and without rows where it has none.

    Nothing of Odoo's depends on that schema: it may not be there yet, and is another's to make and to change.
    """

    _name = "gatehouse.numbers"
    _description = "Numbers of Gatehouse"

    def _has_tables(self):
        """Return True if the columns that are read are there, for the database user of this Odoo."""
        self.env.cr.execute(
            "SELECT c.table_name, array_agg(c.column_name::text) FROM pg_namespace n"
            " JOIN information_schema.columns c ON c.table_schema = n.nspname"
            " WHERE n.nspname = 'gatehouse' AND has_schema_privilege(n.oid, 'USAGE') AND c.table_name = ANY(%s)"
            " GROUP BY c.table_name",
            [list(_COLUMNS)],
        )
        found = dict(self.env.cr.fetchall())
        return all(columns <= set(found.get(table, ())) for table, columns in _COLUMNS.items())


class GatehouseApi(models.Model):
    """One API, with its calls of the last 24 hours; one that was deleted since is there too."""

    _name = "gatehouse.api.today"
    _inherit = "gatehouse.numbers"
    _description = "API, with its calls of the last 24 hours"
    _auto = False
    _order = "calls DESC, name, id"

    name = fields.Char("API", readonly=True)
    route = fields.Char(readonly=True)
    published = fields.Boolean(readonly=True)
    mode = fields.Selection([("production", "Production"), ("test", "Test")], readonly=True)
    calls = fields.Integer(readonly=True)
    errors = fields.Integer(readonly=True)
    failing = fields.Float("Errors, in percent", readonly=True, aggregator="avg")

    @property
    def _table_query(self):
        if not self._has_tables():
            return SQL(
                "SELECT 0 AS id, '' AS name, '' AS route, false AS published, 'test' AS mode,"
                " 0 AS calls, 0 AS errors, 0.0::float AS failing WHERE false"
            )
        return SQL(
            f"""
            SELECT coalesce(a.id, c.api_id) AS id,
                   coalesce(a.name, 'API ' || c.api_id || ', deleted since') AS name,
                   a.route, coalesce(a.published, false) AS published,
                   CASE WHEN a.document->>'mode' = 'test' THEN 'test' ELSE 'production' END AS mode,
                   coalesce(c.calls, 0) AS calls, coalesce(c.errors, 0) AS errors,
                   coalesce(100.0 * c.errors / nullif(c.calls, 0), 0)::float AS failing
              FROM gatehouse.api a
              FULL JOIN (SELECT api_id, sum(calls)::bigint AS calls,
                                coalesce(sum(calls) FILTER (WHERE failed), 0)::bigint AS errors
                           FROM ({_COUNTED}) AS counted GROUP BY api_id) AS c ON c.api_id = a.id
            """
        )

    def action_hours(self):
        """Show the calls of this API hour by hour."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("gatehouse.action_hours")
        return {**action, "name": self.name, "display_name": self.name, "domain": [("api_id", "=", self.id)]}

    def action_panel(self):
        """Go on in the panel, which has all numbers."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/gatehouse/panel?api={self.id}", "target": "new"}


class GatehouseHour(models.Model):
    """Calls of one API in one hour that were answered, or that failed."""

    _name = "gatehouse.api.hour"
    _inherit = "gatehouse.numbers"
    _description = "Calls of an API in an hour"
    _auto = False
    _order = "at DESC, api, id"

    api_id = fields.Integer("API's number", readonly=True)
    api = fields.Char("API", readonly=True)
    at = fields.Datetime("Begins", readonly=True)
    # For graphs: Odoo's own labels of hours are alike in the morning and in the evening, and it adds up what is alike.
    hour = fields.Char(readonly=True)
    outcome = fields.Selection([("answered", "Answered"), ("failed", "Failed")], readonly=True)
    calls = fields.Integer(readonly=True)

    @property
    def _table_query(self):
        if not self._has_tables():
            return SQL(
                "SELECT 0 AS id, 0 AS api_id, '' AS api, now() AT TIME ZONE 'UTC' AS at,"
                " '' AS hour, '' AS outcome, 0 AS calls WHERE false"
            )
        return SQL(  # no two of these hours are alike in the last three digits of their number
            f"""
            SELECT c.api_id::bigint * 2000 + mod(extract(epoch FROM c.at)::bigint / 3600, 1000) * 2
                       + c.failed::int AS id,
                   c.api_id, coalesce(a.name, 'API ' || c.api_id || ', deleted since') AS api,
                   c.at AT TIME ZONE 'UTC' AS at, to_char(c.at AT TIME ZONE %s, 'YYYY-MM-DD HH24:00') AS hour,
                   CASE WHEN c.failed THEN 'failed' ELSE 'answered' END AS outcome, c.calls
              FROM ({_COUNTED}) AS c LEFT JOIN gatehouse.api a ON a.id = c.api_id
            """,
            str(self.env.tz),
        )
