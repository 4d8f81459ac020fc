"""Certificates that expire. No metric tells of the API server's own and etcd's: see CertificateExpires."""

from grafana import series as s
from grafana.rulebook import Alert, Group

DAY = 86_400
# The histogram's bounds of 30 and 7 days, as Prometheus 2 and 3 write them.
_BOUNDS = {30: r"2592000(\\.0)?|2\\.592e\\+06", 7: r"604800(\\.0)?"}


def _clients(days: int) -> str:
    """Requests per second by clients whose certificate has fewer days left."""
    where = f'le=~"{_BOUNDS[days]}"'
    buckets = s.rate("apiserver_client_certificate_expiration_seconds_bucket", "apiserver", where, "15m")
    return f"sum by (job) ({buckets}) > 0"


def _kubelet(days: int) -> str:
    left = s.series("kubelet_certificate_manager_client_ttl_seconds", "kubelet")
    return f"min by (node) ({left}) < {days * DAY}"


def _ingress(days: int) -> str:
    left = s.series("envoy_server_days_until_first_cert_expiring", "envoy")
    return f"min by (job) ({left}) < {days}"


_RENEWALS = s.series("kubelet_certificate_manager_client_expiration_renew_errors", "kubelet")

GROUP = Group(
    "certificate-alerts",
    (
        Alert(
            "CertificateExpires",
            _clients(30),
            "15m",
            "warning",
            "A client certificate of the API server expires within 30 days",
            "Somebody signs in to the API server with a certificate that expires within 30 days. kubeadm "
            "makes "
            "the certificates of administrators, scheduler and controller manager together with those of the "
            "API server and etcd, so all of them are due.",
        ),
        Alert(
            "CertificateExpiresSoon",
            _clients(7),
            "15m",
            "critical",
            "A client certificate of the API server expires within 7 days",
            "Somebody signs in to the API server with a certificate that expires within 7 days. When "
            "those of "
            "the control plane expire, the cluster stops to react to any change.",
        ),
        Alert(
            "KubeletCertificateExpires",
            _kubelet(30),
            "1h",
            "warning",
            "The kubelet's certificate on {{ $labels.node }} expires in {{ $value | humanizeDuration }}",
            "The kubelet of {{ $labels.node }} renews its certificate by itself, long before; that has "
            "failed.",
        ),
        Alert(
            "KubeletCertificateExpiresSoon",
            _kubelet(7),
            "1h",
            "critical",
            "The kubelet's certificate on {{ $labels.node }} expires in {{ $value | humanizeDuration }}",
            "When it has expired, node {{ $labels.node }} is not ready any more and cannot come back by "
            "itself.",
        ),
        Alert(
            "KubeletCertificateNotRenewed",
            f"max by (node) (increase({_RENEWALS}[30m])) > 0",
            "15m",
            "warning",
            "The kubelet on {{ $labels.node }} cannot renew its certificate",
            "The kubelet of {{ $labels.node }} has tried to renew its certificate and failed.",
        ),
        Alert(
            "IngressCertificateExpires",
            _ingress(30),
            "1h",
            "warning",
            "A certificate of the ingress expires in {{ $value }} days",
            "The first certificate that Envoy has loaded expires in {{ $value }} days: that of an "
            "application's "
            "host, of the portal, or the one between Contour and Envoy.",
        ),
        Alert(
            "IngressCertificateExpiresSoon",
            _ingress(7),
            "1h",
            "critical",
            "A certificate of the ingress expires in {{ $value }} days",
            "After {{ $value }} days browsers refuse the hosts that use it.",
        ),
    ),
)
