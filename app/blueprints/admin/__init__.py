"""The admin panel at /admin/: Flask-Admin's views and menu, on pages of our own."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Theme

from app import times
from app.blueprints.admin import guard
from app.blueprints.admin.agents import Agents
from app.blueprints.admin.analytics import Analytics
from app.blueprints.admin.apis import Apis
from app.blueprints.admin.audit import Audit
from app.blueprints.admin.clients import Clients
from app.blueprints.admin.console.view import Console
from app.blueprints.admin.cookies import FormSessions
from app.blueprints.admin.files import Files
from app.blueprints.admin.help import Help
from app.blueprints.admin.home import Home
from app.blueprints.admin.login import blueprint as own
from app.blueprints.admin.models import Models
from app.blueprints.admin.pickers import Pickers
from app.blueprints.admin.pretty import pretty
from app.blueprints.admin.request_log import RequestLog
from app.blueprints.admin.settings import Settings
from app.blueprints.admin.webhooks import Webhooks


def init_admin(app: Flask) -> None:
    """Put the panel behind its guard and register its views."""
    guard.init_guard(app)
    for template_filter in (pretty, times.utc, times.iso):
        app.add_template_filter(template_filter)
    app.session_interface = FormSessions()
    app.register_blueprint(own)
    theme = Theme(folder="bootstrap4", base_template="panel/base.html")
    admin = Admin(app, "Gatehouse", index_view=Home(name="Overview", endpoint="admin", url="/admin"), theme=theme)
    # The menu, in this order.
    admin.add_views(
        Apis(name="APIs", endpoint="apis"),
        Models(name="Models", endpoint="models"),
        Console(name="Try it", endpoint="console", url="try"),
        Clients(name="Client apps", endpoint="clients"),
        Webhooks(name="Webhooks", endpoint="hooks", url="webhooks"),  # "webhooks" are those of the API
        Agents(name="AI agents", endpoint="agents"),
        Analytics(name="Analytics", endpoint="analytics"),
        RequestLog(name="Request log", endpoint="log"),
        Audit(name="Audit", endpoint="audit"),
        Files(name="Import & export", endpoint="files"),
        Settings(name="Settings", endpoint="settings"),
        Help(name="Help", endpoint="help"),
        Pickers(name="Pickers", endpoint="pick"),
    )
