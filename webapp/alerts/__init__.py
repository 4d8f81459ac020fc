"""Alerts: what fires now is read from Alertmanager each time, and what it brings becomes a project's news."""

from flask import Flask, current_app

from webapp.alerts.alertmanager import Alertmanager
from webapp.config import Config

KEY = "croft_alertmanager"


def init_app(app: Flask, config: Config) -> None:
    """Attach a reader of Alertmanager; nothing is read yet."""
    app.extensions[KEY] = Alertmanager(config.alertmanager_url)


def alertmanager() -> Alertmanager:
    """Return this application's reader."""
    found: Alertmanager = current_app.extensions[KEY]
    return found
