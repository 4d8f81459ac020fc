"""etcd, API server, scheduler, controller manager, kubelet, CoreDNS, ingress."""

from grafana import series as s
from grafana.rulebook import Alert, Group

# Without these nothing in the cluster reacts.
_PARTS = ("apiserver", "scheduler", "controller-manager", "etcd")
_DB_SIZE = f"max by (node) ({s.series('etcd_mvcc_db_total_size_in_bytes', 'etcd')})"
_DB_QUOTA = f"max by (node) ({s.series('etcd_server_quota_backend_bytes', 'etcd')})"
_LEADER_CHANGES = s.series("etcd_server_leader_changes_seen_total", "etcd")
_PLEG = s.rate("kubelet_pleg_relist_duration_seconds_bucket", "kubelet", "", "5m")
_SERVFAIL = 'rcode="SERVFAIL"'
_FAILED_NAMES = f"sum by (job) ({s.rate('coredns_dns_responses_total', 'coredns', _SERVFAIL, '5m')})"
_ALL_NAMES = f"sum by (job) ({s.rate('coredns_dns_responses_total', 'coredns', '', '5m')})"
_API_LATENCY = "verb:apiserver_request_latency_seconds:p99_rate5m"


def absent(job: str, where: str = "") -> str:
    """1 where no target of the job answers, or there is none; absent() of a comparison loses the labels."""
    return f'label_replace(absent({s.series("up", job, where)} == 1), "job", "{job}", "", "")'


GROUP = Group(
    "control-plane-alerts",
    (
        Alert(
            "ControlPlaneDown",
            "\nor ".join(absent(job) for job in _PARTS),
            "5m",
            "critical",
            "No {{ $labels.job }} answers",
            "Prometheus has reached no {{ $labels.job }} for 5 minutes.",
        ),
        Alert(
            "EtcdNoLeader",
            f"max by (node) ({s.series('etcd_server_has_leader', 'etcd')}) == 0",
            "1m",
            "critical",
            "etcd on {{ $labels.node }} has no leader",
            "The member of etcd on {{ $labels.node }} knows no leader: nothing can be changed in the "
            "cluster.",
        ),
        Alert(
            "EtcdMemberDown",
            f"max by (node) ({s.series('up', 'etcd')}) == 0",
            "5m",
            "critical",
            "The member of etcd on {{ $labels.node }} is down",
            "When more than half of etcd's members are down, nothing can be changed in the cluster.",
        ),
        Alert(
            "EtcdLeaderChangesOften",
            f"max by (job) (increase({_LEADER_CHANGES}[15m])) >= 4",
            "5m",
            "warning",
            "etcd's leader has changed {{ $value | humanize }} times in 15 minutes",
            "Leaders change when members do not hear from each other in time: a slow disk or network, or too "
            "little CPU.",
        ),
        Alert(
            "EtcdSlowDisk",
            "node:etcd_fsync_seconds:p99_rate5m > 0.5",
            "10m",
            "warning",
            "etcd on {{ $labels.node }} writes slowly to its disk",
            "1 of 100 writes to etcd's log on {{ $labels.node }} takes more than {{ $value | "
            "humanizeDuration }}. "
            "Every change in the cluster waits for it.",
        ),
        Alert(
            "EtcdDatabaseNearlyFull",
            f"{_DB_SIZE} / ({_DB_QUOTA} > 0) > 0.8",
            "10m",
            "warning",
            "etcd's database on {{ $labels.node }} is {{ $value | humanizePercentage }} full",
            "When it is full, etcd accepts nothing but deletions, and nothing can be changed in the cluster.",
        ),
        Alert(
            "ApiServerErrors",
            "cluster:apiserver_request_errors:ratio_rate5m > 0.05",
            "10m",
            "critical",
            "The API server answers {{ $value | humanizePercentage }} of all requests with an error",
            "More than 5 % of the requests to the API server have ended with 5xx for 10 minutes.",
        ),
        Alert(
            "ApiServerSlow",
            f'{_API_LATENCY}{{verb!="LIST"}} > 1\nor {_API_LATENCY}{{verb="LIST"}} > 10',
            "15m",
            "warning",
            "The API server is slow to answer {{ $labels.verb }}",
            "1 of 100 requests ({{ $labels.verb }}) takes more than {{ $value | humanizeDuration }}.",
        ),
        Alert(
            "KubeletDown",
            f"max by (node) ({s.series('up', 'kubelet')}) == 0",
            "5m",
            "critical",
            "The kubelet of {{ $labels.node }} does not answer",
            "Pods on {{ $labels.node }} are neither started nor ended nor probed.",
        ),
        Alert(
            "KubeletSlow",
            f"histogram_quantile(0.99, sum by (le, node) ({_PLEG})) > 3",
            "15m",
            "warning",
            "The kubelet of {{ $labels.node }} is slow",
            "A look at all containers of {{ $labels.node }} takes {{ $value | humanizeDuration }}. Pods "
            "start "
            "and end late, and after 3 minutes the node is not ready.",
        ),
        Alert(
            "CoreDnsDown",
            absent("coredns"),
            "5m",
            "critical",
            "No CoreDNS answers",
            "Names of Services cannot be found out: applications do not reach each other.",
        ),
        Alert(
            "CoreDnsErrors",
            f"{_FAILED_NAMES} / ({_ALL_NAMES} > 0) > 0.03",
            "10m",
            "warning",
            "CoreDNS fails to answer {{ $value | humanizePercentage }} of all questions",
            "More than 3 % of the answers of CoreDNS are SERVFAIL: it does not reach the API server or the "
            "name servers of the nodes.",
        ),
        Alert(
            "IngressDown",
            absent("envoy"),
            "3m",
            "critical",
            "No Envoy answers: the ingress is down",
            "No application can be reached from outside, nor the portal.",
        ),
    ),
)
