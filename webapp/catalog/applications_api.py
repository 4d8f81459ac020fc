"""/api/v1/projects/<project>/applications: those that come from the catalog"""

from flask import Response

from webapp import etags
from webapp.applications import responses
from webapp.applications.api import ApplicationPath
from webapp.applications.responses import accepted
from webapp.auth.sessions import current_user
from webapp.catalog import services
from webapp.catalog.schemas import CatalogSettings, NewCatalogApplication
from webapp.openapi import answers, api_blueprint
from webapp.projects.api import ProjectPath

api = api_blueprint(
    "catalog_applications_api",
    __name__,
    "/projects/<project>/applications",
    "catalog",
    "Charts that the operator offers, run by a few values",
)

_CHANGE = (
    "project-not-found",
    "role-too-low",
    "state-conflict",
    "catalog-entry-not-found",
    "cluster-unreachable",
)


@api.post(
    "/from-catalog",
    operation_id="createApplicationFromCatalog",
    responses=answers({202: responses.ApplicationChange}, "name-taken", *_CHANGE, body=True),
)
def create_from_catalog(path: ProjectPath, body: NewCatalogApplication) -> Response:
    """Create an application from an entry of the catalog"""
    return accepted(*services.create(current_user, path.project, body))


@api.put(
    "/<application>/values",
    operation_id="replaceApplicationValues",
    responses=answers(
        {202: responses.ApplicationChange}, "application-not-found", "version-conflict", *_CHANGE, body=True
    ),
)
def replace_values(path: ApplicationPath, header: etags.IfMatch, body: CatalogSettings) -> Response:
    """Replace the values of an application from the catalog; a secret that is left out keeps its value"""
    versions = etags.if_match()
    return accepted(*services.update(current_user, path.project, path.application, body, versions=versions))
