"""Applications from the catalog: made and changed like others, with values in place of an image."""

from webapp.applications import changes
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSpec
from webapp.auth.models import User
from webapp.catalog import offered, values
from webapp.catalog.schemas import CatalogSettings, CatalogSpec, NewCatalogApplication
from webapp.etags import Versions
from webapp.jobs.models import Job
from webapp.problems import Problem


def create(
    user: User, project_name: str, new: NewCatalogApplication, *, cause: str = "created"
) -> tuple[Application, Job]:
    """Store a new application of the project, from an entry of the catalog, and the job that makes it.

    Raises Problem: project-not-found, role-too-low, state-conflict, name-taken, catalog-entry-not-found,
    validation-failed (values), cluster-unreachable; nothing is stored then.
    """

    def make() -> CatalogSpec:
        chosen, secrets = values.complete(offered.entry(new.catalog), new)
        return CatalogSpec(
            project=project_name,
            name=new.name,
            catalog=new.catalog,
            values=chosen,
            secrets=secrets,
            stopped=new.stopped,
        )

    return changes.store_new(user, project_name, new.name, make, cause)


def update(
    user: User, project_name: str, name: str, settings: CatalogSettings, *, versions: Versions = None
) -> tuple[Application, Job]:
    """Store new values of an application from the catalog, and the job that applies them.

    A secret that is left out keeps its value. Raises Problem as `create` does, with application-not-found
    instead of name-taken, and version-conflict; nothing is stored then.
    """

    def make(stored: ApplicationSpec | CatalogSpec) -> CatalogSpec:
        if not isinstance(stored, CatalogSpec):
            raise Problem(
                "state-conflict",
                f"Application '{name}' runs an image and has no values; change its settings.",
            )
        return with_settings(stored, settings)

    return changes.store(
        user, project_name, name, changes.Change("application.update", "changed", make), versions
    )


def with_settings(stored: CatalogSpec, settings: CatalogSettings) -> CatalogSpec:
    """Return the desired state with other settings; a secret that is left out keeps its value.

    Raises Problem validation-failed, and catalog-entry-not-found when the operator has taken it away.
    """
    chosen, secrets = values.complete(offered.entry(stored.catalog), settings, stored.secrets)
    return stored.model_copy(update={"values": chosen, "secrets": secrets, "stopped": settings.stopped})
