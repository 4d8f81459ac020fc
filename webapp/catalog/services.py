"""Applications from the catalog: made and changed like others, with values in place of an image."""

from webapp import catalog
from webapp.applications import changes
from webapp.applications.models import Application
from webapp.auth.models import User
from webapp.catalog import values
from webapp.catalog.schemas import CatalogSettings, CatalogSpec, NewCatalogApplication
from webapp.etags import Versions
from webapp.jobs.models import Job


def create(user: User, project_name: str, new: NewCatalogApplication) -> tuple[Application, Job]:
    """Store a new application of the project, from an entry of the catalog, and the job that makes it.

    Raises Problem: project-not-found, role-too-low, state-conflict, name-taken, catalog-entry-not-found,
    validation-failed (values), cluster-unreachable; nothing is stored then.
    """

    def make() -> CatalogSpec:
        complete = values.complete(catalog.entry(new.catalog), new.values)
        return CatalogSpec(
            project=project_name, name=new.name, catalog=new.catalog, values=complete, stopped=new.stopped
        )

    return changes.store_new(user, project_name, new.name, make)


def update(
    user: User, project_name: str, name: str, settings: CatalogSettings, *, versions: Versions = None
) -> tuple[Application, Job]:
    """Store new values of an application from the catalog, and the job that applies them.

    A secret that is left out keeps its value. Raises Problem as `create` does, with application-not-found
    instead of name-taken, and version-conflict; nothing is stored then.
    """

    def make(stored: CatalogSpec) -> CatalogSpec:
        complete = values.complete(catalog.entry(stored.catalog), settings.values, stored.values)
        return stored.model_copy(update={"values": complete, "stopped": settings.stopped})

    return changes.store(
        user, project_name, name, changes.Change("application.update", "changed", make), versions
    )
