"""Dashboards and measurements: what Prometheus knows, shown to those who may see it."""

from flask import Flask, current_app

from webapp.config import Config
from webapp.monitoring.services import Monitoring

KEY = "croft_monitoring"


def init_app(app: Flask, config: Config) -> None:
    """Read the dashboards, and remember where Prometheus is; nothing is asked yet."""
    app.extensions[KEY] = Monitoring(config)


def monitoring() -> Monitoring:
    """Return this application's dashboards with what answers their queries."""
    found: Monitoring = current_app.extensions[KEY]
    return found
