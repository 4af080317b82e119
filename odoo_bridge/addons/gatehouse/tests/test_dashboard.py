from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

#: The columns that are read, as Gatehouse makes them.
TABLES = """
    DROP SCHEMA IF EXISTS gatehouse CASCADE;
    CREATE SCHEMA gatehouse;
    CREATE TABLE gatehouse.api (id int PRIMARY KEY, name text, route text, published boolean, document jsonb);
    CREATE TABLE gatehouse.rollup_hour (dimension text, at timestamptz, api_id int, key text, failed boolean,
                                        bucket smallint, calls bigint, milliseconds float);
    INSERT INTO gatehouse.api VALUES (1, 'Partners', '/api/partners', true, '{"mode": "test"}'),
                                     (2, 'Quiet', '/api/quiet', false, '{}');
    INSERT INTO gatehouse.rollup_hour
    SELECT dimension, date_trunc('hour', now()) - hours * interval '1 hour', api_id, '', failed, bucket, calls, 1
      FROM (VALUES ('api', 0, 1, false, 3, 5), ('api', 0, 1, false, 4, 2), ('api', 3, 1, true, 3, 4),
                   ('api', 30, 1, true, 3, 100), ('endpoint', 0, 1, false, 3, 7), ('api', 1, 9, false, 3, 1))
           AS made (dimension, hours, api_id, failed, bucket, calls);
"""


@tagged("post_install", "-at_install")
class TestDashboard(TransactionCase):
    """Numbers of the last 24 hours, from Gatehouse's own tables, for admins alone."""

    def setUp(self):
        super().setUp()
        self.admin = self.env.ref("base.user_admin")
        self.today = self.env["gatehouse.api.today"].with_user(self.admin)
        self.hours = self.env["gatehouse.api.hour"].with_user(self.admin)

    def test_without_gatehouse_there_is_nothing(self):
        self.env.cr.execute("DROP SCHEMA IF EXISTS gatehouse CASCADE")
        self.assertFalse(self.today.search([]))
        self.assertFalse(self.hours.search([("api_id", "=", 1)]))
        self.assertEqual(self.hours.formatted_read_group([], ["api"], ["calls:sum"]), [])

    def test_tables_of_another_version_are_nothing(self):
        self.env.cr.execute(TABLES)
        self.env.cr.execute("ALTER TABLE gatehouse.rollup_hour RENAME COLUMN calls TO number")
        self.assertFalse(self.today.search([]))
        self.assertFalse(self.hours.search([]))

    def test_each_api_has_its_calls_and_errors(self):
        self.env.cr.execute(TABLES)
        found = [(api.name, api.calls, api.errors, api.published, api.mode) for api in self.today.search([])]
        self.assertEqual(
            found,
            [
                ("Partners", 11, 4, True, "test"),
                ("API 9, deleted since", 1, 0, False, "production"),
                ("Quiet", 0, 0, False, "production"),
            ],
        )
        self.assertAlmostEqual(self.today.browse(1).failing, 100 * 4 / 11)

    def test_the_calls_of_each_hour_are_told_apart(self):
        self.env.cr.execute(TABLES)
        rows = self.hours.search([("api", "=", "Partners")])
        self.assertEqual([(row.outcome, row.calls) for row in rows], [("answered", 7), ("failed", 4)])
        self.assertEqual((rows[0].at - rows[1].at).total_seconds(), 3 * 3600)
        self.assertEqual(self.hours.search_count([]), 3)
        grouped = self.hours.formatted_read_group([], ["hour", "outcome"], ["calls:sum"])
        self.assertEqual(sorted(group["calls:sum"] for group in grouped), [1, 4, 7])

    def test_hours_are_named_in_the_users_time_zone(self):
        self.env.cr.execute(TABLES)
        for zone, ahead in (("UTC", 0), ("Asia/Tokyo", 9), ("No/Where", 0)):
            self.env.invalidate_all()
            row = self.hours.with_context(tz=zone).search([], limit=1)
            self.assertEqual(row.hour, f"{row.at + timedelta(hours=ahead):%Y-%m-%d %H:00}")

    def test_a_card_leads_to_its_hours_and_to_the_panel(self):
        self.env.cr.execute(TABLES)
        partners = self.today.browse(1)
        self.assertEqual(partners.action_hours()["domain"], [("api_id", "=", 1)])
        self.assertEqual(partners.action_panel()["url"], "/gatehouse/panel?api=1")

    def test_only_admins_read_and_nobody_writes(self):
        self.env.cr.execute(TABLES)
        clerk = new_test_user(self.env, "clerk", "base.group_user")
        for model in (self.today, self.hours):
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                model.with_user(clerk).search([])
            record = model.search([], limit=1)
            for change in (lambda each: each.write({"calls": 1}), lambda each: each.unlink()):
                with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                    change(record)
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                model.create({"calls": 1})
