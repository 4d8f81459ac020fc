"""The forms of an application's pages."""

from typing import Any, ClassVar

from webapp.applications.schemas import Autoscaling, Resources, Volume
from webapp.pages.forms import Form, Keys, Rows, Texts, lines


class ApplicationForm(Form):
    """What an application is created with and changed to."""

    labels: ClassVar[Texts] = {
        "name": "Name",
        "image": "Image",
        "replicas": "Replicas",
        "ports": "Ports",
        "ports.*.name": "Port name",
        "ports.*.targetPort": "Container port",
        "ports.*.port": "Service port",
        "ports.*.protocol": "Protocol",
        "env": "Variables",
        "env.*.name": "Variable",
        "env.*.value": "Value",
        "secrets": "Secrets",
        "secrets.*.name": "Secret",
        "secrets.*.value": "Secret value",
        "resources": "Resources",
        "resources.requests.cpu": "CPU request",
        "resources.requests.memory": "Memory request",
        "resources.limits.cpu": "CPU limit",
        "resources.limits.memory": "Memory limit",
        "host": "Host name",
        "healthPath": "Health path",
        "volume": "Volume",
        "volume.enabled": "Keep data in a volume",
        "volume.size": "Volume size",
        "volume.mountPath": "Mount path",
        "autoscaling": "Autoscaling",
        "autoscaling.enabled": "Follow the load",
        "autoscaling.minReplicas": "Fewest replicas",
        "autoscaling.maxReplicas": "Most replicas",
        "autoscaling.cpuPercent": "CPU target in percent",
        "metrics": "Metrics",
        "metrics.port": "Metrics port",
        "metrics.path": "Metrics path",
        "command": "Command",
        "args": "Arguments",
        "runAsUser": "User id",
        "tls": "HTTPS",
        "tls.mode": "HTTPS",
        "tls.certificate": "Certificate",
        "tls.key": "Private key",
        "tls.issuer": "HTTPS",
    }
    patterns: ClassVar[Texts] = {
        "env.*.name": "Use letters, digits and '_', and do not start with a digit.",
        "secrets.*.name": "Use letters, digits and '_', and do not start with a digit.",
        "healthPath": "Write a path that starts with '/', like /healthz.",
        "volume.mountPath": "Write a folder that starts with '/', like /data.",
        "metrics.path": "Write a path that starts with '/', like /metrics.",
    }
    new_rows: ClassVar[Rows] = {
        "ports": {"name": "", "targetPort": "", "port": "", "protocol": "TCP"},
        "env": {"name": "", "value": ""},
        "secrets": {"name": "", "value": ""},
    }
    # Fields of the form that are no settings: the version and the plan that it was filled from.
    beside: ClassVar[frozenset[str]] = frozenset({"version", "plan"})
    row_keys: ClassVar[Keys] = {
        "ports": ("name", "targetPort", "port"),
        "env": ("name", "value"),
        "secrets": ("name", "value"),
    }

    @classmethod
    def fresh(cls) -> "ApplicationForm":
        """Return the form of a new application: one HTTP port, one replica, the model's own resources."""
        return cls.stored(
            {
                "ports": [{"name": "http", "targetPort": 8080, "port": 80, "protocol": "TCP"}],
                "replicas": 1,
                "resources": Resources().model_dump(mode="json", by_alias=True),
            }
        )

    @classmethod
    def stored(cls, spec: dict[str, Any]) -> "ApplicationForm":
        """Return the form of an application with these stored settings, without the values of secrets."""
        form = cls(spec)
        for name in ("command", "args"):
            form.values[name] = "\n".join(spec.get(name) or [])
        form.values["secrets"] = [{"name": item["name"], "value": ""} for item in spec.get("secrets") or []]
        for name, defaults in (("volume", Volume()), ("autoscaling", Autoscaling())):
            kept = spec.get(name)
            shown = kept or defaults.model_dump(mode="json", by_alias=True)
            form.values[name] = {**shown, "enabled": "yes" if kept else ""}
        form.values["metrics"] = spec.get("metrics") or {"port": "", "path": "/metrics"}
        tls = spec.get("tls") or {}
        mode = "issuer" if tls.get("issuer") else "own" if tls else ""
        form.values["tls"] = {"mode": mode, "certificate": tls.get("certificate") or "", "key": ""}
        form.values["stopped"] = "yes" if spec.get("stopped") else ""
        return form

    def _shown(self, name: str) -> str:
        # What the model finds in the metrics as a whole is a port that is none of the application's.
        return "metrics.port" if name == "metrics" else super()._shown(name)

    def body(self) -> dict[str, Any]:
        """Return the values in the shape of the API's body; what was left empty and may be is left out."""
        body = {key: value for key, value in self.values.items() if key not in self.beside}
        for name in ("host", "healthPath", "runAsUser"):
            if not self.value(name).strip():
                body.pop(name, None)
        for name in ("command", "args"):
            body[name] = lines(self.value(name))
        for name in ("volume", "autoscaling"):
            part = body.pop(name, None)
            if isinstance(part, dict) and part.get("enabled"):
                body[name] = {key: value for key, value in part.items() if key != "enabled"}
        metrics = body.pop("metrics", None)
        if self.value("metrics.port").strip():
            body["metrics"] = _without_empty(metrics, "path")
        tls = body.pop("tls", None)
        mode = tls.get("mode") if isinstance(tls, dict) else ""
        if mode == "issuer":
            body["tls"] = {"issuer": True}
        elif mode and isinstance(tls, dict):
            body["tls"] = {key: value for key, value in tls.items() if key != "mode" and str(value).strip()}
        body["stopped"] = bool(self.value("stopped"))
        body["ports"] = [_without_empty(row, "port") for row in self.rows("ports")]
        body["secrets"] = [_without_empty(row, "value") for row in self.rows("secrets")]
        return body


class ReplicasForm(Form):
    """The number of replicas alone, on the application's own page."""

    labels: ClassVar[Texts] = {"replicas": "Replicas"}


class CloneForm(Form):
    """Where a clone goes."""

    labels: ClassVar[Texts] = {"name": "Name of the clone", "project": "Project"}


class ImportForm(Form):
    """An application as YAML."""

    labels: ClassVar[Texts] = {"yaml": "YAML", "name": "Name"}


def _without_empty(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key or str(value).strip()}
