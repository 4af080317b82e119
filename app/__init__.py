"""Gatehouse: any Odoo model or method as a governed HTTP API."""

from __future__ import annotations

import os

from app import config, cors, health, logs
from app.addons import Addons
from app.admin import init_admin
from app.analytics.recorder import Recorder
from app.auth.authentication import Authenticator
from app.auth.concurrency import Concurrency
from app.auth.throttle import make_throttle
from app.auth.tokens import derived
from app.catalog.catalog import Catalog, Snapshot
from app.catalog.database import make_engine
from app.commands import init_commands
from app.config import Settings
from app.docs.views import blueprint as docs
from app.error_handlers import init_error_handlers
from app.gateway import Gateway
from app.http_methods import init_http_methods
from app.media.views import blueprint as media
from app.metrics import meters, pools
from app.metrics.views import init_metrics
from app.oauth2 import init_oauth2
from app.observation import init_observation
from app.readiness import make_checks
from app.requests import init_requests
from app.rest.views import blueprint as rest
from app.routing import Gatehouse
from app.rpc.views import blueprint as rpc
from app.services import Services
from app.session.views import blueprint as session
from odoo_bridge import boot
from odoo_bridge.identity import database_uuid
from odoo_bridge.replica import Replica
from odoo_bridge.transaction import Limits, Transactions


def create_app(settings: Settings | None = None) -> Gatehouse:
    """Return the application; without settings they are read from the environment.

    Raises ConfigError and BootError, whose messages say what to change.
    """
    settings = settings or config.from_environment(os.environ)
    logs.init_logging(settings)
    app = Gatehouse(__name__, static_folder=None)
    app.services = _services(app, settings)
    init_observation(app, settings)
    init_requests(app, settings)
    init_error_handlers(app)
    cors.init_cors(app)
    for blueprint in (rest, rpc, session, media, docs, health.blueprint):
        app.register_blueprint(blueprint)
    init_metrics(app)
    init_oauth2(app)
    init_admin(app)
    init_commands(app)
    app.freeze_own_rules()
    init_http_methods(app)
    return app


def _take_over(app: Gatehouse, settings: Settings, snapshot: Snapshot) -> None:
    """Serve what a new snapshot of the catalog says."""
    app.publish(snapshot.endpoints)
    # Flask opens a request's session before any of our code runs, so the key of the forms has to be there by then.
    app.secret_key = derived(settings.secret_key or snapshot.settings["secret_key"], "forms")


def _services(app: Gatehouse, settings: Settings) -> Services:
    instance = boot.start(settings.odoo_conf, settings.database)
    limits = Limits(settings.statement_timeout, settings.signaling_interval)
    transactions = Transactions(
        instance.database, limits, on_retry=meters.RETRIES.inc, on_reload=meters.REGISTRY_RELOADS.inc
    )
    addons = Addons(transactions, settings.odoo_conf)
    engine = make_engine(instance.dsn)
    pools.measure(engine)
    recorder = Recorder(engine)

    def look() -> None:
        recorder.measure()
        addons.look()

    catalog = Catalog(
        engine,
        transactions,
        settings.catalog_interval,
        lambda snapshot: _take_over(app, settings, snapshot),
        on_look=look,
    )
    # Read once, before the workers are forked: all of them count for the same database.
    uuid = transactions.run(database_uuid)
    throttle = make_throttle(uuid, settings.redis_url, lambda: catalog.snapshot.system)
    authenticator = Authenticator(lambda: app.services.hasher(), recorder.token_used)
    gateway = Gateway(
        transactions,
        Replica(instance.database, settings.statement_timeout),
        authenticator,
        throttle,
        addons,
        # What the server knows of a caller has its turns (serving.turns). What it does not know yet, a new token for
        # example, comes on top; but one thread is for others in any case.
        Concurrency(max(settings.at_once, min(2 * settings.at_once, settings.threads - 1))),
        settings.call_timeout,
    )
    return Services(
        settings=settings,
        instance=instance,
        transactions=transactions,
        engine=engine,
        catalog=catalog,
        throttle=throttle,
        recorder=recorder,
        gateway=gateway,
        addons=addons,
        readiness=make_checks(settings, instance, transactions, catalog, recorder, addons),
    )
