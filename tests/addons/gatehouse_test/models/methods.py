import os
import signal
import threading
from datetime import date, datetime
from decimal import Decimal

import requests
from odoo import _lt, api, exceptions, models


class Methods(models.Model):
    """Methods that do all that a method can do."""

    _inherit = "test.record"

    def echo(self, value=None, flag=False, *, only_by_name="x"):
        """Return what it is given, and the records that it is called on."""
        return {"value": value, "flag": flag, "only_by_name": only_by_name, "ids": self.ids}

    def join(self, first, second, *more, **others):
        return [first, second, list(more), others]

    def prefixed(self, prefix="", number=0):
        return f"{prefix}{number!r}"

    def with_our_names(self, limit, ids=None, id=0, value="", approval="", arguments=None):
        """Return what it is given by names that parameters of Gatehouse have too."""
        return [limit, ids, id, value, approval, arguments]

    def rename(self, name):
        self.ensure_one()
        self.name = name
        return self

    @api.model
    def odd_shapes(self):
        return {
            1: date(2026, 1, 31),
            None: datetime(2026, 1, 31, 8, 0),
            "bytes": b"bytes",
            "decimal": Decimal("1.5"),
            "nothing": None,
            "tuple": (1, 2),
            "generator": (n * n for n in range(3)),
            "set": {7},
            "lazy": _lt("Lazy"),
            "infinite": float("inf"),
            "large": 10**30,
            "action": {"type": "ir.actions.act_window", "res_model": "test.record", "domain": [("id", ">", 0)]},
            "object": object,
        }

    @api.model
    def endless(self):
        loop = []
        loop.append(loop)
        return loop

    @api.model
    def name_of_partner(self, partner_id, others=()):
        partners = self.env["res.partner"].browse([partner_id, *others])
        return partners.mapped("name")

    @api.private
    def kept_private(self):
        return "private"

    def _hidden(self):
        return "hidden"

    def refuse(self):
        raise exceptions.UserError("Not today.")

    def break_down(self):
        raise RuntimeError("a defect with a secret inside")

    # What leaves traces.

    @api.model
    def commit_in_between(self, name):
        self.create({"name": name})
        self.env.cr.commit()
        return self.create({"name": name})

    @api.model
    def commit_and_refuse(self, name):
        self.create({"name": name})
        self.env.cr.commit()
        raise exceptions.UserError("No more than that.")

    @api.model
    def commit_elsewhere(self, name):
        with self.env.registry.cursor() as cr:
            self.with_env(self.env(cr=cr)).create({"name": name})
            cr.commit()
        return True

    @api.model
    def commit_in_a_thread(self, name):
        def work():
            with self.env.registry.cursor() as cr:
                self.with_env(self.env(cr=cr)).create({"name": name})

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return True

    @api.model
    def write_after_commit(self, path):
        def write():
            with open(path, "w") as file:
                file.write("written after the commit")

        self.env.cr.postcommit.add(write)
        return True

    @api.model
    def end_process(self, moment="now"):
        def end():
            os.kill(os.getpid(), signal.SIGKILL)

        if moment == "now":
            end()
        getattr(self.env.cr, moment).add(end)
        return True

    @api.model
    def attach(self, name):
        attachment = self.env["ir.attachment"].create({"name": name, "raw": name.encode() * 1000})
        return len(attachment.raw)

    @api.model
    def mail(self, port, subject):
        server = self.env["ir.mail_server"].create({"name": "catcher", "smtp_host": "127.0.0.1", "smtp_port": port})
        message = self.env["ir.mail_server"]._build_email__("a@example.com", ["b@example.com"], subject, "body")
        return bool(self.env["ir.mail_server"].send_email(message, mail_server_id=server.id))

    @api.model
    def call_out(self, url, swallow=False):
        try:
            return requests.get(url, timeout=5).status_code
        except requests.RequestException:
            if swallow:
                return "unreachable"
            raise

    @api.model
    def trigger(self):
        return bool(self.env.ref("base.autovacuum_job")._trigger())

    @api.model
    def notify(self):
        self.env["bus.bus"]._sendone("gatehouse", "test", {"text": "on the bus"})
        self.env.cr.commit()
        return True

    @api.model
    def set_parameter(self, value):
        self.env["ir.config_parameter"].sudo().set_param("gatehouse.sandbox", value)
        return self.env["ir.config_parameter"].sudo().get_param("gatehouse.sandbox")

    # What decides over rights.

    @api.model
    def switch_rule(self, on):
        """Switch the record rule on or off that hides records."""
        rules = self.env["ir.rule"].sudo().with_context(active_test=False)
        rules.search([("name", "=", "Hides what is hidden")]).active = on
        return True

    @api.model
    def switch_access(self, on):
        """Let employees create records, or forbid it."""
        self.env.ref("gatehouse_test.record_user").sudo().perm_create = on
        return True

    # What takes more than its author may have meant.

    def apply(self, stuff):
        self.write(stuff)
        return self.name

    def apply_later(self, *, anything):
        return self._apply_now(1, anything)

    def _apply_now(self, number, given):
        changes = dict(given)
        changes["count"] = number
        self.write(changes)

    def apply_all(self, **everything):
        return self.create(everything)

    @api.model
    def look_for(self, text, column="name"):
        return self.search([(column, "=", text)])

    @api.model
    def rank(self, how):
        return self.search([], order=f"{how} desc", limit=1)
