"""What is remembered of a user is never old."""

from __future__ import annotations

from app.web.routing import Gatehouse
from odoo_bridge import users
from odoo_bridge.transaction import Environment


def test_a_new_time_zone_of_a_user_holds_at_once(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[object, object]:
        user = root.ref("base.user_demo")
        user.tz = "Europe/Berlin"
        before = users.own_context(root, user.id)["tz"]
        user.tz = "Asia/Tokyo"
        return before, users.own_context(root, user.id)["tz"]

    assert app.services.transactions.run(work, keep=False) == ("Europe/Berlin", "Asia/Tokyo")


def test_what_is_remembered_is_each_users_own(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[object, object]:
        demo, admin = root.ref("base.user_demo"), root.ref("base.user_admin")
        demo.tz, admin.tz = "Europe/Berlin", "Asia/Tokyo"
        return users.own_context(root, demo.id)["tz"], users.own_context(root, admin.id)["tz"]

    assert app.services.transactions.run(work, keep=False) == ("Europe/Berlin", "Asia/Tokyo")
