"""The application: a table of contents of what it is made of."""

from __future__ import annotations

import os
from functools import partial

from app import config
from app.analytics.recorder import Recorder
from app.auth.authentication import Authenticator
from app.auth.concurrency import make_concurrency
from app.auth.throttle import make_throttle
from app.blueprints import health
from app.blueprints.admin import init_admin
from app.blueprints.batch import blueprint as batch
from app.blueprints.docs.front import blueprint as front
from app.blueprints.docs.views import blueprint as docs
from app.blueprints.mcp.views import blueprint as mcp
from app.blueprints.media import blueprint as media
from app.blueprints.metrics import init_metrics
from app.blueprints.oauth2 import init_oauth2
from app.blueprints.rest import blueprint as rest
from app.blueprints.rpc import blueprint as rpc
from app.blueprints.session import blueprint as session
from app.blueprints.webhooks import blueprint as webhooks
from app.capture.keeper import Keeper
from app.catalog.catalog import Catalog, Snapshot
from app.clients.tokens import derived
from app.commands import init_commands
from app.config import Settings
from app.database import Database
from app.mcp.toolbox import Toolbox
from app.networks import Networks
from app.observe import logs, pools
from app.operations.actions import check_aspects
from app.operations.addons import Addons
from app.operations.admission import Admission
from app.operations.batches import Batches
from app.operations.delta.feed import Feed
from app.operations.delta.streaming import ChangeStreams
from app.operations.endpoints import all_endpoints
from app.operations.exports.starting import Exports
from app.operations.gateway import Gateway
from app.operations.imports.starting import Imports
from app.operations.openings import Openings
from app.operations.transactions import make_transactions
from app.readiness import make_checks
from app.web import cors
from app.web.error_handlers import init_error_handlers
from app.web.hooks import init_hooks
from app.web.http_methods import init_http_methods
from app.web.observation import init_observation, request_ids
from app.web.routing import Gatehouse
from app.web.services import Services
from app.webhooks.acting import Acting
from app.webhooks.subscriptions import Subscriptions
from odoo_bridge import boot
from odoo_bridge.identity import database_uuid
from odoo_bridge.replica import Replica


def create_app(settings: Settings | None = None) -> Gatehouse:
    """Return the application; without settings they are read from the environment.

    Raises ConfigError and BootError, whose messages say what to change, and LookupError where the code of an action is
    incomplete.
    """
    check_aspects()
    settings = settings or config.from_environment(os.environ)
    logs.init_logging(settings, request_ids)
    app = Gatehouse(__name__, static_folder=None)
    app.services = _services(app, settings)
    init_observation(app, settings)
    init_hooks(app, settings)
    init_error_handlers(app)
    cors.init_cors(app)
    for blueprint in (rest, rpc, batch, mcp, webhooks, session, media, front, docs, health.blueprint):
        app.register_blueprint(blueprint)
    init_metrics(app)
    init_oauth2(app)
    init_admin(app)
    init_commands(app)
    app.freeze_own_rules()
    init_http_methods(app)
    return app


def _take_over(app: Gatehouse, settings: Settings, snapshot: Snapshot) -> None:
    """Serve the APIs of a new snapshot of the catalog."""
    app.publish([endpoint for definition in snapshot.published for endpoint in all_endpoints(definition)])
    # Flask opens a request's session before any of our code runs, so the key of the forms has to be there by then.
    app.secret_key = derived(settings.secret_key or snapshot.settings["secret_key"], "forms")


def _services(app: Gatehouse, settings: Settings) -> Services:
    instance = boot.start(settings.odoo_conf, settings.database, is_fast=settings.fast == "on")
    transactions = make_transactions(instance.database, settings)
    addons = Addons(transactions, settings.odoo_conf)
    database = Database(instance.dsn)
    pools.measure(database)
    recorder = Recorder(database, lambda: catalog.snapshot.system)
    keeper = Keeper(database, transactions, lambda: catalog.snapshot)
    catalog = Catalog(
        transactions,
        settings.catalog_interval,
        on_change=partial(_take_over, app, settings),
        on_look=(recorder.measure, addons.look, keeper.look),
    )
    # Read once, before the workers are forked: all of them count for the same database.
    uuid = transactions.run(database_uuid)
    throttle = make_throttle(uuid, settings.redis_url, lambda: catalog.snapshot.system)
    replica = Replica(transactions.database, settings.statement_timeout)
    authenticator = Authenticator(lambda: app.services.hasher(), recorder.token_used)
    admission = Admission(authenticator, throttle, make_concurrency(settings))
    gateway = Gateway(transactions, replica, authenticator, admission, addons, settings.call_timeout)
    openings = Openings(transactions, replica, admission, settings.call_timeout)
    acting = Acting(gateway, keeper, catalog, lambda: app.services.cursors())
    trusted = Networks.parse(settings.webhook_networks)
    return Services(
        settings=settings,
        instance=instance,
        transactions=transactions,
        database=database,
        catalog=catalog,
        throttle=throttle,
        recorder=recorder,
        gateway=gateway,
        batches=Batches(transactions, admission, settings.call_timeout),
        exports=Exports(openings, settings.export_timeout, settings.threads, catalog.served),
        imports=Imports(gateway, settings.import_timeout, settings.threads, catalog.served),
        streams=ChangeStreams(gateway, Feed(database), settings.stream_timeout, catalog.served),
        addons=addons,
        keeper=keeper,
        acting=acting,
        webhooks=Subscriptions(database, acting, lambda: catalog.snapshot, lambda: app.services.hasher(), trusted),
        toolbox=Toolbox(settings.mcp_rows),
        readiness=make_checks(settings, instance, transactions, catalog, recorder, addons),
    )
