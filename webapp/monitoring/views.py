"""Pages of dashboards. They come without measurements: each panel asks for its own once it is there."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from webapp.applications import queries as applications
from webapp.auth.models import User
from webapp.auth.sessions import current_user, login_required
from webapp.monitoring import charts, monitoring
from webapp.monitoring.dashboards import Dashboard
from webapp.monitoring.links import APPLICATION, PROJECT, Place
from webapp.monitoring.prometheus import Scope
from webapp.monitoring.results import PanelData
from webapp.monitoring.services import Offer, Wanted, platform_scope, project_scope
from webapp.monitoring.variables import Chosen, check_values
from webapp.problems import Problem

pages = Blueprint("monitoring", __name__)

RANGES = (
    ("now-15m", "Last 15 minutes"),
    ("now-1h", "Last hour"),
    ("now-3h", "Last 3 hours"),
    ("now-6h", "Last 6 hours"),
    ("now-24h", "Last 24 hours"),
    ("now-7d", "Last 7 days"),
)
REFRESHES = (("", "Off"), ("15s", "15 s"), ("30s", "30 s"), ("1m", "1 min"))
Crumbs = Sequence[tuple[str, str]]


@pages.get("/monitoring")
@login_required
def index() -> str:
    """List all dashboards, for administrators."""
    scope = platform_scope(current_user)
    return render_template(
        "monitoring/index.html",
        section="monitoring",
        dashboards=list(monitoring().for_scope(scope).values()),
        installed=monitoring().prometheus.installed(scope),
    )


@pages.get("/monitoring/<uid>")
@login_required
def show(uid: str) -> str:
    """Show a dashboard of the whole platform."""
    return _page(platform_scope(current_user), uid, [("Monitoring", url_for("monitoring.index"))])


@pages.get("/monitoring/<uid>/panels/<int:panel_id>")
@login_required
def panel(uid: str, panel_id: int) -> Response:
    """Answer with what a panel shows: HTML, and the numbers of its chart."""
    return _panel(platform_scope(current_user), uid, panel_id)


@pages.get("/monitoring/<uid>/variables")
@login_required
def variables(uid: str) -> Response:
    """Answer with what can be chosen."""
    return _variables(platform_scope(current_user), uid)


@pages.get("/monitoring/<uid>/marks")
@login_required
def marks(uid: str) -> Response:
    """Answer with what is marked on all charts."""
    return _marks(platform_scope(current_user), uid)


@pages.get("/projects/<project>/monitoring")
@login_required
def show_project(project: str) -> str:
    """Show the dashboard of a project."""
    return _page(project_scope(current_user, project), PROJECT, _project_crumbs(project))


@pages.get("/projects/<project>/monitoring/<uid>")
@login_required
def show_of_project(project: str, uid: str) -> str:
    """Show another dashboard of a project."""
    return _page(project_scope(current_user, project), uid, _project_crumbs(project))


@pages.get("/projects/<project>/monitoring/<uid>/panels/<int:panel_id>")
@login_required
def panel_of_project(project: str, uid: str, panel_id: int) -> Response:
    """Answer with what a panel of a project's dashboard shows."""
    return _panel(project_scope(current_user, project), uid, panel_id)


@pages.get("/projects/<project>/monitoring/<uid>/variables")
@login_required
def variables_of_project(project: str, uid: str) -> Response:
    """Answer with what can be chosen in a project's dashboard."""
    return _variables(project_scope(current_user, project), uid)


@pages.get("/projects/<project>/monitoring/<uid>/marks")
@login_required
def marks_of_project(project: str, uid: str) -> Response:
    """Answer with what is marked on all charts of a project's dashboard."""
    return _marks(project_scope(current_user, project), uid)


@pages.get("/projects/<project>/applications/<application>/monitoring")
@login_required
def show_application(project: str, application: str) -> str:
    """Show the dashboard of an application."""
    name = applications.get_for(current_user, project, application).name
    scope = project_scope(current_user, project)
    crumbs = [*_project_crumbs(project), (name, _application_page(project, name))]
    return _page(scope, APPLICATION, crumbs, {"application": name})


def _project_crumbs(project: str) -> list[tuple[str, str]]:
    return [
        ("Projects", url_for("projects.index")),
        (project, url_for("projects.show", project=project)),
    ]


def _application_page(project: str, application: str) -> str:
    return url_for("applications.show", project=project, application=application)


def _page(scope: Scope, uid: str, crumbs: Crumbs, fixed: dict[str, str] | None = None) -> str:
    """Return the page of a dashboard. `fixed`: choices that the address has made already.

    It asks Prometheus for nothing, unless all values are wanted as tables, in the page itself.
    """
    fixed = fixed or {}
    dashboard = monitoring().dashboard(scope, uid)
    wanted = _wanted(dashboard, fixed)
    errors, data, offers = "", {}, list[Offer]()
    installed = monitoring().prometheus.installed(scope)
    as_tables = request.args.get("view") == "tables"
    try:
        monitoring().window(wanted)
        if as_tables and installed:
            offers = monitoring().offers(current_user.id, scope, dashboard, wanted)
            data = _every_panel(current_user, scope, dashboard, wanted)
    except Problem as problem:
        errors = problem.detail
    place = Place(scope, monitoring().for_scope(scope), wanted.time, _asked(dashboard, wanted))
    return render_template(
        "monitoring/show.html",
        section="monitoring" if scope.project is None else "projects",
        dashboard=dashboard,
        project=scope.project,
        crumbs=crumbs,
        base=_base(scope, dashboard),
        fixed=fixed,
        wanted=wanted,
        chosen=_chosen(dashboard, wanted, scope, fixed, offers),
        ranges=RANGES,
        refreshes=REFRESHES,
        refresh=request.args.get("refresh", ""),
        links=[(link.title, address) for link in dashboard.links if (address := place.translate(link))],
        installed=installed,
        as_tables=as_tables,
        data=data,
        errors=errors,
    )


def _every_panel(user: User, scope: Scope, dashboard: Dashboard, wanted: Wanted) -> dict[int, PanelData]:
    shown = list(dashboard.panels)
    found = monitoring().show_all(user.id, scope, dashboard, shown, wanted)
    return {item.panel.id: item for item in found}


def _panel(scope: Scope, uid: str, panel_id: int) -> Response:
    dashboard, shown = monitoring().panel(scope, uid, panel_id)
    wanted = _wanted(dashboard, {})
    data = monitoring().show(current_user.id, scope, dashboard, shown, wanted)
    html = render_template("monitoring/panel.html", data=data, as_tables=False)
    return jsonify({"html": html, "chart": charts.chart(data)})


def _variables(scope: Scope, uid: str) -> Response:
    dashboard = monitoring().dashboard(scope, uid)
    offers = monitoring().offers(current_user.id, scope, dashboard, _wanted(dashboard, {}))
    return jsonify(
        {
            "items": [
                {
                    "name": offer.variable.name,
                    "options": list(offer.options),
                    "chosen": list(offer.chosen),
                    "all": offer.all,
                }
                for offer in offers
            ]
        }
    )


def _marks(scope: Scope, uid: str) -> Response:
    dashboard = monitoring().dashboard(scope, uid)
    found = monitoring().marks(current_user.id, scope, dashboard, _wanted(dashboard, {}))
    return jsonify({"items": [{"moment": mark.moment, "words": mark.words} for mark in found]})


def _base(scope: Scope, dashboard: Dashboard) -> str:
    """Return the address below which a dashboard's data is."""
    above = "/monitoring" if scope.project is None else f"/projects/{scope.project}/monitoring"
    return f"{above}/{dashboard.uid}"


def _wanted(dashboard: Dashboard, fixed: dict[str, str]) -> Wanted:
    """Return what the address asks for; an empty choice is none. Raises Problem validation-failed."""
    asked: dict[str, Sequence[str]] = {
        key.removeprefix("var-"): [value for value in values if value]
        for key, values in request.args.lists()
        if key.startswith("var-")
    }
    known = {variable.name for variable in dashboard.variables}
    width = request.args.get("width", "")
    return Wanted(
        # A link from another dashboard may name variables that this one does not have.
        {name: values for name, values in asked.items() if name in known}
        | {name: [value] for name, value in fixed.items() if name in known},
        request.args.get("from", "")[:40] or dashboard.since,
        request.args.get("to", "")[:40] or dashboard.until,
        width=max(100, min(4000, int(width))) if width.isdecimal() and len(width) < 6 else None,
    )


def _asked(dashboard: Dashboard, wanted: Wanted) -> dict[str, Chosen]:
    """Return the choices that the address makes, as far as it does."""
    return {
        variable.name: Chosen(variable, check_values(variable.name, values))
        for variable in dashboard.variables
        if (values := wanted.variables.get(variable.name))
    }


def _chosen(
    dashboard: Dashboard, wanted: Wanted, scope: Scope, fixed: dict[str, str], offers: Sequence[Offer]
) -> list[dict[str, Any]]:
    """Return the variables that the page lets choose, with what is known of them so far."""
    hidden = {*fixed, *(["namespace"] if scope.project is not None else [])}
    known = {offer.variable.name: offer for offer in offers}
    found = []
    for variable in dashboard.variables:
        if variable.name in hidden or variable.hide:
            continue
        offer = known.get(variable.name)
        values = list(wanted.variables.get(variable.name, ()))
        if offer is not None:
            values = [] if offer.all else list(offer.chosen)
        found.append(
            {
                "variable": variable,
                "values": values,
                "options": list(dict.fromkeys([*values, *(offer.options if offer else ())])),
            }
        )
    return found
