"""The desired state of a project: what the API, the form and `playbooks/project.yml` take."""

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from webapp.schemas import ProjectName, Quantity, Spec, written_time

UserName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9]([-a-z0-9._@]*[a-z0-9])?$")]


class Quota(Spec):
    """The most that all applications of a project may ask for together."""

    cpu: Quantity = Field("2", description="CPU in cores", examples=["2"])
    memory: Quantity = Field("2Gi", description="Memory in bytes", examples=["2Gi"])
    storage: Quantity = Field("5Gi", description="Size of all volumes together, in bytes", examples=["5Gi"])
    pods: int = Field(20, ge=1, le=1000, description="Number of pods", examples=[20])


PRESETS = {
    "small": Quota(cpu="1", memory="1Gi", storage="2Gi", pods=10),
    "medium": Quota(),
    "large": Quota(cpu="4", memory="8Gi", storage="20Gi", pods=50),
}


class Member(Spec):
    """A user of the portal and what they may do in the project."""

    user: UserName = Field(description="Name of the user", examples=["grace"])
    role: Literal["owner", "developer", "viewer"] = Field(
        description="owner: everything; developer: change applications; viewer: read", examples=["developer"]
    )


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class ProjectSettings(Spec):
    """The settings of a project that can be changed later."""

    description: str = Field(
        "", max_length=500, description="What the project is for", examples=["Our web shop"]
    )
    # The default is for requests by hand; through the API it is the user who asks, so it is not documented.
    owner: UserName = Field(
        "operator",
        description="User who answers for the project; whoever creates it when left out",
        examples=["ada"],
        json_schema_extra=_without_default,
    )
    members: list[Member] = Field(
        default_factory=list, max_length=200, description="Members beside the owner"
    )
    # Never stored: it stands for a quota, which is.
    preset: Literal["small", "medium", "large"] | None = Field(
        None, exclude=True, description="A quota by its size, instead of `quota`", examples=["small"]
    )
    quota: Quota = Field(default_factory=Quota, description="Limits of the whole project")
    pod_security: Literal["restricted", "baseline"] = Field(
        "restricted", description="Pod Security level that the namespace enforces", examples=["restricted"]
    )
    egress_cidrs: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Addresses outside the cluster that pods may reach, as CIDR; none by default",
        examples=[["203.0.113.0/24"]],
    )
    expires_at: Annotated[AwareDatetime, BeforeValidator(written_time)] | None = Field(
        None,
        description="When the project is archived by itself, with a time zone; never when left out",
        examples=["2027-01-31T23:59:59Z"],
    )
    archived: bool = Field(
        False, description="Whether everything in it sleeps, scaled to zero", examples=[False]
    )

    @field_validator("quota")
    @classmethod
    def check_one_size(cls, quota: Quota, info: ValidationInfo) -> Quota:
        """Return the quota; raise ValueError when a preset was given as well."""
        if info.data.get("preset"):
            raise ValueError("give either a preset or a quota, not both")
        return quota

    @field_validator("expires_at")
    @classmethod
    def check_moment(cls, moment: datetime | None) -> datetime | None:
        """Return the moment in UTC; raise ValueError for one that no calendar there holds."""
        try:
            return None if moment is None else moment.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("this is too far away") from error

    @field_validator("egress_cidrs")
    @classmethod
    def check_cidrs(cls, cidrs: list[str]) -> list[str]:
        """Return the networks as they are written by rule; raise ValueError for an entry that is none."""
        networks = []
        for cidr in cidrs:
            try:
                networks.append(str(ip_network(cidr)))
            except ValueError as error:
                raise ValueError(
                    f"'{cidr}' is not a network in CIDR notation, like 203.0.113.0/24"
                ) from error
        return networks

    @model_validator(mode="after")
    def settle_preset(self) -> Self:
        """Put the preset's quota in its place."""
        if self.preset is not None:
            self.quota, self.preset = PRESETS[self.preset].model_copy(), None
        return self


class ProjectSpec(ProjectSettings):
    """The desired state of one project."""

    name: ProjectName = Field(description="Name of the project and of its namespace", examples=["shop"])
