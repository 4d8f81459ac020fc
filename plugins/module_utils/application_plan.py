"""From a validated application to the values of `charts/application`, checked against the cluster."""

import base64
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.project_plan import read_namespace
from plugins.module_utils.quota import (
    Amounts,
    Verdict,
    check_room,
    fits,
    left,
    of_claim,
    of_pod,
    total,
    verdicts,
)
from plugins.module_utils.request_file import RequestError
from webapp.quantities import format_bytes, format_cores, parse_quantity
from webapp.schemas import RESERVED_NAMES


@dataclass(frozen=True)
class Address:
    """Where applications are found: the platform's domain, its ports, ingress class and ClusterIssuer."""

    domain: str
    http_port: int
    https_port: int
    ingress_class: str
    cert_issuer: str

    def host(self, spec: dict[str, Any]) -> str:
        """Return the application's host name."""
        return spec["host"] or self.own_host(spec)

    def own_host(self, spec: dict[str, Any]) -> str:
        """Return the host name that the platform gives."""
        return f"{spec['name']}.{spec['project']}.{self.domain}"

    def url(self, spec: dict[str, Any]) -> str:
        """Return the application's address."""
        scheme, port, usual = ("https", self.https_port, 443) if spec["tls"] else ("http", self.http_port, 80)
        return f"{scheme}://{self.host(spec)}" + ("" if port == usual else f":{port}")


class ApplicationPlan:
    """The checks of one application against the cluster, and the values of its chart."""

    def __init__(self, cluster: Cluster, spec: dict[str, Any], address: Address) -> None:
        self._cluster = cluster
        self._spec = spec
        self._address = address
        self._base = f"/namespaces/{spec['project']}"
        self._name: str = spec["name"]

    def values(self, storage_class: str, *, rehearsal: bool) -> tuple[dict[str, Any], list[Verdict]]:
        """Return the chart's values, and whether the quota suffices, by resource.

        Raises RequestError for what the cluster cannot or must not do; unless it is a `rehearsal`, also when
        the quota does not suffice.
        """
        spec = self._spec
        namespace = read_namespace(self._cluster, spec["project"])
        if namespace is None:
            raise RequestError(f"project '{spec['project']}' does not exist; create it first")
        level = namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce", "restricted")
        self._check_host()
        self._check_volume()
        given, salt = self._secrets()
        surge, quota = self._check_quota(refuse=not rehearsal)
        copied = ("image", "command", "args", "ports", "replicas", "resources", "env")
        values = {
            **{key: spec[key] for key in copied},
            **{
                key: spec[key]
                for key in ("volume", "autoscaling", "runAsUser", "metrics")
                if spec[key] is not None
            },
            "ports": [
                {key: item for key, item in port.items() if item is not None} for port in spec["ports"]
            ],
            "secrets": given,
            "secretsSalt": salt,
            "host": self._address.host(spec),
            "ingressClass": self._address.ingress_class,
            "healthPath": spec["healthPath"] or "",
            "storageClass": storage_class,
            # An image that runs as root is fine where the project's level allows it.
            "runAsNonRoot": level != "baseline" or spec["runAsUser"] is not None,
            "surge": surge,
            "stopped": spec["stopped"],
            "restartedAt": spec["restartedAt"] or "",
            "tls": self._tls(),
        }
        return values, quota

    def _tls(self) -> dict[str, Any]:
        """Return the chart's values for HTTPS; a key that is not given is the one that the cluster holds.

        Raises RequestError for what does not do, as the portal would have told.
        """
        tls = self._spec["tls"]
        if not tls:
            return {}
        redirect = {"redirect": self._address.https_port == 443}
        if tls["issuer"]:
            if not self._address.cert_issuer:
                raise RequestError("application.tls.issuer: this platform has no issuer; give a certificate")
            return {"issuer": self._address.cert_issuer, **redirect}
        key = tls["key"]
        if not key:
            stored = self._cluster.get(f"/api/v1{self._base}/secrets/{self._name}-tls") or {}
            key = base64.b64decode(stored.get("data", {}).get("tls.key", "")).decode()
        # The library takes a while to load, and few applications need it.
        from webapp.applications.certificates import check

        if errors := check(tls["certificate"], key, self._address.host(self._spec)):
            raise RequestError("; ".join(f"application.{item.field}: {item.message}" for item in errors))
        return {"certificate": tls["certificate"], "secretKey": key, **redirect}

    def _check_host(self) -> None:
        """Raise RequestError when the host name is the platform's or another application's."""
        host, domain = self._address.host(self._spec), self._address.domain
        if host != self._address.own_host(self._spec) and f".{host}".endswith(f".{domain}"):
            below = host.removesuffix(domain).rstrip(".").split(".")
            if len(below) != 1 or below[0] in RESERVED_NAMES or not below[0]:
                raise RequestError(
                    f"application.host: '{host}' belongs to the platform, which gives out the names below "
                    f"{domain}; leave the host out or choose one of another domain"
                )
        own = (self._spec["project"], self._name)
        for path, names in (
            ("/apis/networking.k8s.io/v1/ingresses", _ingress_hosts),
            ("/apis/projectcontour.io/v1/httpproxies", _proxy_hosts),
        ):
            for item in self._cluster.list(path):
                holder = (item["metadata"]["namespace"], item["metadata"]["name"])
                if holder != own and host in names(item):
                    # Whose it is is not for the members of another project to know.
                    raise RequestError(f"application.host: '{host}' is held by another application")

    def _check_quota(self, *, refuse: bool) -> tuple[bool, list[Verdict]]:
        """Return whether the project's quota has room for one pod more, and whether it suffices.

        Raises RequestError when it does not, if it is to `refuse`.
        """
        spec, project = self._spec, self._spec["project"]
        quota = self._cluster.get(f"/api/v1{self._base}/resourcequotas/project")
        hard = quota["spec"]["hard"] if quota else {}
        for key, write in (("cpu", format_cores), ("memory", format_bytes)):
            limit, most = spec["resources"]["limits"][key], hard.get(f"requests.{key}")
            if most and parse_quantity(limit) > parse_quantity(most):
                raise RequestError(
                    f"application.resources.limits.{key}: {limit} is above project '{project}'s quota of "
                    f"{write(parse_quantity(most))}"
                )
        others: list[Amounts] = []
        mine: list[Amounts] = []
        for kind, count in (("pods", of_pod), ("persistentvolumeclaims", of_claim)):
            for item in self._cluster.list(f"/api/v1{self._base}/{kind}"):
                owner = item["metadata"].get("labels", {}).get("croft.dev/application")
                (mine if owner == self._name else others).append(count(item))
        requests = spec["resources"]["requests"]
        pod = Amounts(parse_quantity(requests["cpu"]), parse_quantity(requests["memory"]), pods=Decimal(1))
        scaling = spec["autoscaling"]
        replicas: int = scaling["minReplicas"] if scaling else spec["replicas"]
        wanted = pod.times(0 if spec["stopped"] else replicas)
        if spec["volume"]:
            wanted += Amounts(storage=parse_quantity(spec["volume"]["size"]))
        room = left(hard, total(others))
        if refuse:
            check_room(project, wanted, room)
        now = total(mine)
        largest = Amounts(*(max(pair) for pair in zip(wanted, now, strict=True)))
        return fits(largest + pod, room), verdicts(wanted, room)

    def _check_volume(self) -> None:
        """Raise RequestError when the size of an existing volume would have to change and cannot."""
        claim = self._cluster.get(f"/api/v1{self._base}/persistentvolumeclaims/{self._name}")
        if claim is None or not self._spec["volume"]:
            return
        now, wanted = of_claim(claim).storage, parse_quantity(self._spec["volume"]["size"])
        if wanted == now:
            return
        name = claim["spec"].get("storageClassName", "")
        storage = self._cluster.get(f"/apis/storage.k8s.io/v1/storageclasses/{name}") or {}
        if wanted < now or not storage.get("allowVolumeExpansion"):
            raise RequestError(
                f"application.volume.size: the volume of '{self._name}' has {format_bytes(now)}, which "
                f"cannot become {format_bytes(wanted)} on storage class '{name}'; keep the size"
            )

    def _secrets(self) -> tuple[list[dict[str, str]], str]:
        """Return the secret variables with their values, and the salt of their fingerprint.

        A secret without a value keeps the one that the cluster holds.
        """
        if not self._spec["secrets"]:
            return [], ""
        stored = self._cluster.get(f"/api/v1{self._base}/secrets/{self._name}") or {"metadata": {}}
        salt = stored["metadata"].get("annotations", {}).get("croft.dev/salt") or secrets.token_hex(16)
        values = []
        for item in self._spec["secrets"]:
            value = item["value"]
            if value is None:
                kept = stored.get("data", {}).get(item["name"])
                if kept is None:
                    raise RequestError(
                        f"application.secrets: '{item['name']}' has no value and none is stored; give one"
                    )
                value = base64.b64decode(kept).decode()
            values.append({"name": item["name"], "value": value})
        return values, salt


def _ingress_hosts(ingress: dict[str, Any]) -> set[str]:
    return {rule.get("host", "") for rule in ingress["spec"].get("rules", [])}


def _proxy_hosts(proxy: dict[str, Any]) -> set[str]:
    return {proxy["spec"].get("virtualhost", {}).get("fqdn", "")}
