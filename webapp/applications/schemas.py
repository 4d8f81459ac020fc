"""The desired state of an application: what the API, the form and `playbooks/application.yml` take."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from webapp.quantities import parse_quantity
from webapp.schemas import DnsLabel, ProjectName, Quantity, Spec, Verbatim

# Grammar: https://github.com/distribution/reference/blob/main/reference.go
_IMAGE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?)(?::\d{1,5})?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+", re.ASCII
)


def _image(text: str) -> str:
    if not _IMAGE.fullmatch(text):
        raise ValueError(
            f"'{text}' is not the name of an image; write it like registry.example.org/team/web:1.2"
        )
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"'{text}' is not a host name; write it like web.example.org")
    return text


EnvName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Port(Spec):
    """A port on which the application listens."""

    name: Annotated[DnsLabel, Field(max_length=15)] = Field(
        "http", description="Name of the port", examples=["http"]
    )
    target_port: int = Field(
        ge=1, le=65535, description="Port on which the container listens", examples=[8080]
    )
    port: int | None = Field(
        None, ge=1, le=65535, description="Port of the service; the container's when left out", examples=[80]
    )
    protocol: Literal["TCP", "UDP"] = Field("TCP", description="Transport protocol", examples=["TCP"])


class ResourceAmounts(Spec):
    """An amount of CPU and memory."""

    cpu: Quantity = Field("100m", description="CPU in cores", examples=["100m"])
    memory: Quantity = Field("128Mi", description="Memory in bytes", examples=["128Mi"])


class ResourceLimits(ResourceAmounts):
    """The most that one pod may use."""

    cpu: Quantity = Field("500m", description="CPU in cores", examples=["500m"])
    memory: Quantity = Field("256Mi", description="Memory in bytes", examples=["256Mi"])


class Resources(Spec):
    """What one pod is given at least and at most."""

    requests: ResourceAmounts = Field(
        default_factory=ResourceAmounts, description="What one pod is given at least"
    )
    limits: ResourceLimits = Field(default_factory=ResourceLimits, description="What one pod may use at most")

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Raise ValueError when a request is above its limit."""
        for kind in ("cpu", "memory"):
            request, limit = getattr(self.requests, kind), getattr(self.limits, kind)
            if parse_quantity(request) > parse_quantity(limit):
                raise ValueError(f"the {kind} request {request} is above the limit {limit}")
        return self


class Variable(Spec):
    """An environment variable, readable by the project's members."""

    name: EnvName = Field(description="Name of the variable", examples=["LOG_LEVEL"])
    value: Verbatim = Field(max_length=10_000, description="Its value", examples=["info"])


class Secret(Spec):
    """A variable whose value is never shown again; leave the value out to keep the stored one."""

    name: EnvName = Field(description="Name of the variable", examples=["DATABASE_PASSWORD"])
    value: Verbatim | None = Field(
        None,
        max_length=10_000,
        description="Its value (write-only)",
        examples=["correct horse battery staple"],
    )


class Volume(Spec):
    """A volume that outlives the application's pods."""

    size: Quantity = Field("1Gi", description="Size in bytes", examples=["1Gi"])
    mount_path: str = Field(
        "/data",
        max_length=200,
        pattern=r"^/[A-Za-z0-9._/-]+$",
        description="Folder in the container",
        examples=["/data"],
    )


class Autoscaling(Spec):
    """How the number of replicas follows the load."""

    min_replicas: int = Field(1, ge=1, le=100, description="Fewest replicas", examples=[1])
    max_replicas: int = Field(3, ge=1, le=100, description="Most replicas", examples=[3])
    cpu_percent: int = Field(
        80, ge=1, le=100, description="CPU use, in percent of the request, to stay under", examples=[80]
    )

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Raise ValueError when the bounds are the wrong way round."""
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}")
        return self


def _written(port: Any) -> Any:
    return str(port) if isinstance(port, int) and not isinstance(port, bool) else port


# Validated as a text, so that what is wrong with it is told once, and not for each way to write it.
PortReference = Annotated[
    str,
    BeforeValidator(_written),
    Field(min_length=1, max_length=15),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": 15},
                {"type": "integer", "minimum": 1, "maximum": 65535},
            ]
        }
    ),
]


class Metrics(Spec):
    """Where each pod tells its metrics in Prometheus' format, for the platform to read them."""

    port: PortReference = Field(
        description="One of the TCP ports: its name, or the number on which the container listens",
        examples=["http"],
    )
    path: str = Field(
        "/metrics",
        max_length=200,
        pattern=r"^/[A-Za-z0-9._~/-]*$",
        description="Path of the metrics",
        examples=["/metrics"],
    )


class Tls(Spec):
    """Answer HTTPS: with a certificate of one's own, or with one that the platform gets."""

    certificate: Annotated[str, Field(max_length=60_000)] | None = Field(
        None,
        description="Certificate in PEM, followed by those that signed it, each by the next",
        examples=["-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----"],
    )
    key: Annotated[str, Field(max_length=20_000)] | None = Field(
        None,
        description="Its private key in PEM, without a passphrase (write-only; the stored one stays)",
        examples=["-----BEGIN PRIVATE KEY-----\nMIGH…\n-----END PRIVATE KEY-----"],
    )
    issuer: bool = Field(
        False,
        description="Let the issuer that the operator set up get a certificate, and renew it",
        examples=[False],
    )

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Raise ValueError unless there is either a certificate or the issuer."""
        if self.issuer and (self.certificate or self.key):
            raise ValueError("give a certificate with its key, or issuer, not both")
        if not self.issuer and not self.certificate:
            raise ValueError("give a certificate with its key, or set issuer")
        return self


class ApplicationSettings(Spec):
    """The settings of an application that can be changed later."""

    image: Annotated[str, AfterValidator(_image)] = Field(
        min_length=1,
        max_length=300,
        description="Image to run",
        examples=["registry.example.org/team/web:1.2"],
    )
    command: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Replaces the image's entrypoint",
        examples=[["/web"]],
    )
    args: list[str] = Field(
        default_factory=list, max_length=50, description="Arguments of the command", examples=[["--verbose"]]
    )
    ports: list[Port] = Field(
        min_length=1, max_length=20, description="Ports; the first one answers at the application's address"
    )
    replicas: int = Field(1, ge=0, le=100, description="Number of pods", examples=[2])
    resources: Resources = Field(default_factory=Resources, description="Requests and limits of one pod")
    env: list[Variable] = Field(default_factory=list, max_length=200, description="Environment variables")
    secrets: list[Secret] = Field(
        default_factory=list, max_length=200, description="Secret environment variables"
    )
    host: Annotated[str, AfterValidator(_host)] | None = Field(
        None, description="Host name; <name>.<project>.<domain> when left out", examples=["shop.example.org"]
    )
    health_path: str | None = Field(
        None,
        max_length=200,
        pattern=r"^/[A-Za-z0-9._~/?=&%-]*$",
        description="Path that answers 200 when the application is healthy; the port is tried when left out",
        examples=["/healthz"],
    )
    volume: Volume | None = Field(None, description="A volume of its own")
    autoscaling: Autoscaling | None = Field(
        None, description="Follow the load instead of a fixed number of replicas"
    )
    run_as_user: int | None = Field(
        None,
        ge=1,
        le=2_000_000_000,
        description="Numeric user to run as; the image's own when left out",
        examples=[1000],
    )
    tls: Tls | None = Field(None, description="Answer HTTPS; plain HTTP alone when left out")
    metrics: Metrics | None = Field(None, description="Metrics of its own; none are read when left out")
    stopped: bool = Field(
        False,
        description="Whether it runs no pods; replicas count again once it is started",
        examples=[False],
    )

    @field_validator("metrics")
    @classmethod
    def name_port(cls, metrics: Metrics | None, info: ValidationInfo) -> Metrics | None:
        """Return the metrics with their port by its name. Raises ValueError when it is no TCP port."""
        if metrics is None or "ports" not in info.data:
            return metrics
        ports = [port for port in info.data["ports"] if port.protocol == "TCP"]
        for port in ports:
            if metrics.port in (port.name, str(port.target_port)):
                return metrics.model_copy(update={"port": port.name})
        known = ", ".join(f"{port.name} ({port.target_port})" for port in ports)
        raise ValueError(f"'{metrics.port}' is none of the TCP ports; choose from {known}")

    @model_validator(mode="after")
    def check_unique(self) -> Self:
        """Raise ValueError when a port or a variable is named twice."""
        for what, names in (
            ("port name", [port.name for port in self.ports]),
            ("service port", [f"{port.port or port.target_port}/{port.protocol}" for port in self.ports]),
            (
                "variable",
                [*(variable.name for variable in self.env), *(secret.name for secret in self.secrets)],
            ),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the {what} '{twice}' is given twice")
        if self.ports and self.ports[0].protocol != "TCP":
            raise ValueError("the first port answers HTTP at the application's address, so it must be TCP")
        return self


class NewApplication(ApplicationSettings):
    """What the API takes for a new application of a project."""

    name: DnsLabel = Field(description="Name of the application and of its Helm release", examples=["web"])


class ApplicationSpec(NewApplication):
    """The desired state of one application."""

    project: ProjectName = Field(description="Project that the application belongs to", examples=["shop"])
    restarted_at: AwareDatetime | None = Field(
        None, description="When all its pods were last asked to start anew", examples=["2026-01-31T12:00:00Z"]
    )


class CloneTarget(Spec):
    """Where a clone goes."""

    project: ProjectName | None = Field(
        None, description="Project of the clone; the same when left out", examples=["shop-test"]
    )
    name: DnsLabel = Field(description="Name of the clone", examples=["web-2"])
