"""The API server and etcd."""

from grafana import series as s
from grafana.rulebook import RATE_WINDOW, Group, Recording

_DURATION = "apiserver_request_duration_seconds"
# Streams last as long as their clients want.
_VERBS = 'verb!~"WATCH|CONNECT|PROXY"'
_KINDS = {"read": 'verb=~"GET|LIST"', "write": 'verb=~"POST|PUT|PATCH|DELETE"'}


def _api(where: str) -> str:
    return f"sum({s.rate('apiserver_request_total', 'apiserver', where, RATE_WINDOW)})"


def _quantile(share: float, by: str = "", where: str = "") -> str:
    return s.quantile(share, _DURATION, "apiserver", by, where, RATE_WINDOW)


GROUP = Group(
    "control-plane",
    (
        Recording(
            "verb_code:apiserver_requests:rate5m",
            f"sum by (verb, code) ({s.rate('apiserver_request_total', 'apiserver', '', RATE_WINDOW)})",
        ),
        Recording(
            "cluster:apiserver_request_errors:ratio_rate5m",
            "({errors} or 0 * {every}) / ({every} > 0)".format(errors=_api('code=~"5.."'), every=_api("")),
        ),
        *(
            Recording(
                f"cluster:apiserver_{kind}_latency_seconds:p{share * 100:.0f}_rate5m",
                f"{_quantile(share, where=where)} >= 0",
            )
            for kind, where in _KINDS.items()
            for share in (0.5, 0.99)
        ),
        Recording("verb:apiserver_request_latency_seconds:p99_rate5m", _quantile(0.99, "verb", _VERBS)),
        Recording(
            "resource:apiserver_request_latency_seconds:p99_rate5m",
            f"{_quantile(0.99, 'resource', _VERBS)} >= 0",
        ),
        Recording(
            "node:etcd_fsync_seconds:p99_rate5m",
            s.quantile(0.99, "etcd_disk_wal_fsync_duration_seconds", "etcd", "node", window=RATE_WINDOW),
        ),
    ),
)
