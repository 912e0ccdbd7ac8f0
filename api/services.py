"""What a request can reach, put into the application once by `app.create_app`."""

from dataclasses import dataclass

from flask import Flask, current_app

from domain.clock import Clock
from domain.evidence.ports import EvidenceStore
from domain.ports import Enqueue, Positions
from runtime.settings import Settings

_KEY = "amaan"


@dataclass(frozen=True)
class Services:
    """Settings, clock and ports. Immutable: a test makes its own application."""

    settings: Settings
    clock: Clock
    enqueue: Enqueue
    positions: Positions
    evidence: EvidenceStore


def install(app: Flask, services: Services) -> None:
    """Make the services reachable from this application's requests."""
    app.extensions[_KEY] = services


def services() -> Services:
    """The services of the application that serves this request."""
    found: Services = current_app.extensions[_KEY]
    return found
