"""Pages of alerts, and the door through which Alertmanager brings them."""

import hmac
from typing import Any, get_args

from flask import Blueprint, current_app, jsonify, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from webapp.alerts import incoming, services, words
from webapp.alerts.services import Chosen, Shown, State
from webapp.auth.sessions import current_user, login_required
from webapp.config import Config
from webapp.problems import Problem, invalid
from webapp.projects import overview
from webapp.projects import services as projects
from webapp.security import ALERTS_PATH

pages = Blueprint("alerts", __name__)


@pages.get("/projects/<project>/alerts")
@login_required
def of_project(project: str) -> str:
    """Show what fires in a project, to its members."""
    found = projects.get_for(current_user, project)
    shown: list[Shown] = []
    trouble = None
    try:
        shown = services.of_project(current_user, project)[1]
    except Problem as problem:
        trouble = _monitoring_only(problem)
    return render_template(
        "alerts/of_project.html",
        section="projects",
        project=found,
        may=overview.rights(current_user, found),
        alerts=shown,
        trouble=trouble,
    )


@pages.get("/alerts")
@login_required
def index() -> str:
    """Show what fires in the whole cluster, to administrators, filtered as the form asks."""
    services.require_admin(current_user)
    asked = request.args
    kept: dict[str, Any] = {
        name: value
        for name in ("severity", "namespace", "state")
        if (value := asked.get(name, "").strip()[:100])
    }
    if kept.get("state") not in (None, *get_args(State)):
        del kept["state"]
    every: list[Shown] = []
    trouble = None
    try:
        every = services.of_all(current_user, Chosen())
    except Problem as problem:
        trouble = _monitoring_only(problem)
    chosen = Chosen(**kept)
    return render_template(
        "alerts/index.html",
        section="alerts",
        alerts=[alert for alert in every if chosen.fits(alert)],
        kept=kept,
        severities=_choices(words.SEVERITIES, {alert.severity for alert in every}, kept.get("severity")),
        namespaces=_choices((), {alert.namespace for alert in every}, kept.get("namespace")),
        trouble=trouble,
    )


@pages.post(ALERTS_PATH)
def receive() -> Response:
    """Take a message of Alertmanager's, which knows the token that the operator's roles made for it.

    It sends a message again when the answer is a 5xx, and gives it up at a 4xx.
    """
    config: Config = current_app.config["CROFT"]
    if not config.alerts_token:
        raise Problem("not-found", "This portal takes no alerts: CROFT_ALERTS_TOKEN_FILE is not set.")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(token.strip().encode(), config.alerts_token.encode())
    if kind.lower() != "bearer" or not right:
        raise Problem(
            "not-authenticated",
            "Alerts are taken from the platform's Alertmanager alone.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        message = incoming.Message.model_validate_json(request.get_data())
    except ValidationError as error:
        raise invalid(error) from error
    return jsonify(received=len(message.alerts), queued=incoming.receive(message))


def _monitoring_only(problem: Problem) -> Problem:
    """Return the problem when the page can say so and show the rest. Raises it otherwise."""
    if problem.status != 503:
        raise problem
    return problem


def _choices(first: tuple[str, ...], found: set[str], chosen: str | None) -> list[str]:
    """Return what a filter offers: what there is, and what was chosen, though it may be gone."""
    more = sorted((found | ({chosen} if chosen else set())) - {"", *first})
    return [*first, *more]
