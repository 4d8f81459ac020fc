"""An Alertmanager for pages and roles whose alerts the test states; the real one is in test_alerts.py."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from webapp.alerts.alertmanager import Alert, Alertmanager


class StatedAlertmanager(Alertmanager):
    """Tells the alerts that it was given, to whatever question: what is shown is the portal's decision."""

    def __init__(self, *stated: Alert) -> None:
        super().__init__("http://stated.invalid")
        self.stated = list(stated)

    def _fetch(self, labels: Mapping[str, str], end: float) -> list[Alert]:
        return self.stated


def alert(
    name: str,
    *,
    state: str = "active",
    minutes: int = 5,
    annotations: dict[str, str] | None = None,
    **labels: str,
) -> Alert:
    """Return an alert that fires for some minutes."""
    return Alert.model_validate(
        {
            "fingerprint": f"{abs(hash((name, *sorted(labels.items())))):016x}",
            "labels": {"alertname": name, **labels},
            "annotations": annotations or {},
            "status": {"state": state},
            "startsAt": (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(),
        }
    )
