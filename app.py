"""The web application, put together: wiring only. `gunicorn "app:serve()"` runs it, without preloading, so that each
worker connects to the document store after its fork.
"""

from typing import Any

from flask import Flask

from api import errors, http
from api.admin.cities import blp as cities
from api.admin.staff import blp as staff
from api.admin.units import blp as units
from api.alerts.cap import blp as cap
from api.alerts.feeds import blp as cap_feeds
from api.alerts.routes import blp as alerts
from api.audit.routes import blp as audit
from api.cameras.observations import blp as observations
from api.cameras.routes import blp as cameras
from api.campaigns.routes import blp as campaigns
from api.comments.routes import blp as comments
from api.deliveries.reading import blp as told
from api.deliveries.routes import blp as deliveries
from api.docs.routes import blp as docs
from api.drills.page import blp as drill_page
from api.drills.routes import blp as drills
from api.escorts.routes import blp as escorts
from api.evidence.exporting import blp as evidence_exports
from api.evidence.footage import blp as footage
from api.evidence.routes import blp as media
from api.evidence.viewing import blp as evidence_viewing
from api.faces.routes import blp as faces
from api.gatherings.feed import blp as calendar
from api.gatherings.routes import blp as gatherings
from api.handovers.routes import blp as handovers
from api.helpline.answering import blp as counselling
from api.helpline.asking import blp as helpline
from api.helpline.casework import blp as casework
from api.helpline.export import blp as helpline_export
from api.helpline.media import blp as helpline_media
from api.helpline.safety import blp as helpline_safety
from api.helpline.supervising import blp as helpline_supervising
from api.incidents.operating import blp as operating
from api.incidents.routes import blp as incidents
from api.incidents.sos import blp as sos
from api.insights.detectors import blp as detectors
from api.insights.metrics import blp as metrics
from api.insights.place_audits import blp as place_layers
from api.insights.routes import blp as insights
from api.journeys.calls import blp as fake_calls
from api.journeys.routes import blp as journeys
from api.json import JsonProvider
from api.notices.routes import blp as notices
from api.open311.routes import blp as open311
from api.openapi import TITLE, VERSION, Api
from api.operations.routes import blp as operations
from api.pages.live import blp as live
from api.pages.one_tap import blp as one_tap
from api.patrols.routes import blp as patrols
from api.people.auth import blp as auth
from api.people.pages import blp as guardian_page
from api.people.routes import blp as people
from api.place_audits.routes import blp as place_audits
from api.reports.media import blp as report_uploads
from api.reports.media import shown as report_media
from api.reports.moderation import blp as report_moderation
from api.reports.pictures import blp as report_pictures
from api.reports.routes import blp as reports
from api.responder.routes import blp as responder
from api.reviews.routes import blp as reviews
from api.safe_places.embassies import blp as embassies
from api.safe_places.routes import blp as safe_places
from api.services import Services, install
from api.streams.hub import Hub
from api.streams.routes import blp as streams
from api.sync.config import blp as app_config
from api.sync.routes import blp as sync
from api.watch.members import blp as watch_members
from api.watch.pages import blp as group_page
from api.watch.routes import blp as watch
from api.watch.sanctions import blp as watch_sanctions
from api.watch_alerts.routes import blp as watch_alerts
from api.watchlists.routes import blp as watchlists
from api.webhooks.gateway import blp as gateway_reports
from api.webhooks.routes import blp as webhooks
from domain.alerts import groups as alert_groups
from domain.clock import Clock, utc_now
from domain.evidence.ports import EvidenceStore
from domain.ports import Enqueue, Positions
from domain.watch import queries as watch_queries
from notifications.registry import table
from runtime import logging, mongo, queues
from runtime.evidence import FileEvidence
from runtime.positions import RedisPositions
from runtime.settings import Settings, load
from runtime.vault import vault

DOCUMENTED: list[Any] = [
    auth,
    people,
    sos,
    journeys,
    fake_calls,
    safe_places,
    embassies,
    escorts,
    place_audits,
    watch,
    watch_members,
    watch_sanctions,
    reports,
    report_moderation,
    handovers,
    report_pictures,
    report_media,
    comments,
    watch_alerts,
    patrols,
    gatherings,
    campaigns,
    incidents,
    operating,
    responder,
    deliveries,
    told,
    helpline,
    helpline_safety,
    helpline_media,
    counselling,
    helpline_supervising,
    casework,
    helpline_export,
    reviews,
    cameras,
    observations,
    footage,
    evidence_viewing,
    evidence_exports,
    faces,
    watchlists,
    alerts,
    cap_feeds,
    app_config,
    sync,
    insights,
    detectors,
    place_layers,
    drills,
    notices,
    cities,
    units,
    staff,
    audit,
]
"""Blueprints under /v1, in the order of the contract."""
PLAIN = [
    operations,
    metrics,
    cap,
    calendar,
    docs,
    guardian_page,
    group_page,
    drill_page,
    live,
    one_tap,
    open311,
    webhooks,
    gateway_reports,
    media,
    report_uploads,
]
"""Blueprints with formats of their own: pages, webhooks, health."""


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    enqueue: Enqueue | None = None,
    positions: Positions | None = None,
    evidence: EvidenceStore | None = None,
    selection_ms: int = 1500,
) -> Flask:
    """The application for these settings. Connects this process to the document store; ports not given are real."""
    mongo.connect(settings, selection_ms=selection_ms)
    vault(settings)  # a wrong key stops the start, not the first request that needs it
    table(settings)  # and a wrong table of SMS gateways, not the first report
    alert_groups.use(watch_queries.area_of)
    redis = queues.connect(settings.redis_url)
    app = Flask("amaan", static_folder=None)
    app.json = JsonProvider(app)
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    install(
        app,
        Services(
            settings,
            clock,
            enqueue or queues.Hints(queues.Queues(redis)),
            positions or RedisPositions(redis),
            evidence or FileEvidence(settings.media_url),
        ),
    )
    http.install(app, settings)
    errors.install(app)
    api = Api(app)
    for blueprint in DOCUMENTED:
        api.register_blueprint(blueprint)
    for blueprint in PLAIN:
        app.register_blueprint(blueprint)
    return app


def create_streams(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """The event streams alone, for a process of their own under gevent (see `api/streams`)."""
    mongo.connect(settings, pool=32)
    redis = queues.connect(settings.redis_url)
    app = Flask("amaan_streams", static_folder=None)
    app.json = JsonProvider(app)
    evidence = FileEvidence(settings.media_url)
    install(app, Services(settings, clock, queues.Queues(redis), RedisPositions(redis), evidence))
    app.extensions["amaan_hub"] = Hub(clock)
    http.install(app, settings)
    errors.install(app)
    app.register_blueprint(streams)
    app.register_blueprint(operations)
    return app


def serve() -> Flask:
    """What a web server calls: settings from the environment."""
    settings = load()
    logging.configure(settings.log_level)
    return create_app(settings, selection_ms=mongo.AT_ONCE_MS)


def serve_streams() -> Flask:
    """What the web server of the event streams calls."""
    settings = load()
    logging.configure(settings.log_level)
    return create_streams(settings)
