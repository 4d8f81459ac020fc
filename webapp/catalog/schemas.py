"""An application from the catalog: what the API, the form and `playbooks/application.yml` take."""

from datetime import datetime
from typing import Any

from pydantic import Field

from webapp.applications.schemas import Secret
from webapp.schemas import DnsLabel, ProjectName, Spec


class CatalogSettings(Spec):
    """The settings of an application from the catalog that can be changed later."""

    values: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="Values of the entry, as its schema has them; secret ones may stand here too",
        examples=[{"database": "orders", "user": "orders", "size": "2Gi"}],
    )
    secrets: list[Secret] = Field(
        default_factory=list,
        max_length=200,
        description="Values that the schema marks as writeOnly; one without a value keeps the stored one",
    )
    stopped: bool = Field(False, description="Keep it, but let nothing run", examples=[False])


class NewCatalogApplication(CatalogSettings):
    """What the API takes for a new application from the catalog."""

    name: DnsLabel = Field(description="Name of the application and of its Helm release", examples=["db"])
    catalog: DnsLabel = Field(description="Entry of the catalog", examples=["postgresql"])


class CatalogSpec(NewCatalogApplication):
    """The desired state of one application from the catalog; its secret values stand in `secrets` alone."""

    project: ProjectName = Field(description="Project that the application belongs to", examples=["shop"])
    restarted_at: datetime | None = Field(
        None, description="Its pods are newer than this moment", examples=["2026-01-31T12:00:00Z"]
    )

    @property
    def host(self) -> None:
        """It has no address outside of its project."""
        return None
