"""Control plane: API server, etcd, scheduler, controller manager, kubelet, CoreDNS, Contour and Envoy."""

from grafana import series as s
from grafana.board import Board, Row
from grafana.links import TO_NODE
from grafana.panels import STATUS_COLOURS, Panel, Query, lines, number_now

JOBS = (
    ("API servers", "apiserver"),
    ("etcd members", "etcd"),
    ("Schedulers", "scheduler"),
    ("Controller managers", "controller-manager"),
    ("Kubelets", "kubelet"),
    ("CoreDNS", "coredns"),
    ("Contour", "contour"),
    ("Envoy", "envoy"),
)
API_REQUESTS = s.recorded_mean("verb_code:apiserver_requests:rate5m")


def _rate(metric: str, job: str, by: str, where: str = "") -> str:
    return s.grouped("sum", by, s.rate(metric, job, where))


# Questions that reach CoreDNS' cache.
CACHE = _rate("coredns_cache_requests_total", "coredns", "")


def _now(metric: str, job: str, by: str = "node", where: str = "") -> str:
    return f"max by ({by}) ({s.series(metric, job, where)})"


def _up(title: str, job: str) -> Panel:
    return number_now(
        title,
        f"Targets of {title} that answer Prometheus, beside all that there are.",
        "short",
        Query(f"sum({s.series('up', job)})", "up"),
        Query(f"count({s.series('up', job)})", "all"),
        width=3,
        decimals=0,
        empty="none",
    )


def _process(name: str, job: str) -> tuple[Panel, Panel]:
    """CPU and memory of one component."""
    return (
        lines(
            f"{name}: CPU",
            f"Cores that {name} uses.",
            "short",
            Query(_rate("process_cpu_seconds_total", job, "node"), "{{node}}"),
            link=TO_NODE,
        ),
        lines(
            f"{name}: memory",
            f"Memory that {name} uses.",
            "bytes",
            Query(_now("process_resident_memory_bytes", job), "{{node}}"),
            link=TO_NODE,
        ),
    )


QUEUE_WAIT = s.quantile(0.99, "workqueue_queue_duration_seconds", "controller-manager", "name")

UP = Row("Is it there?", tuple(_up(title, job) for title, job in JOBS))

APISERVER = Row(
    "API server",
    (
        lines(
            "API requests by verb",
            "Requests per second, by what they do.",
            "reqps",
            Query(f"sum by (verb) ({API_REQUESTS})", "{{verb}}"),
            stack=True,
        ),
        lines(
            "API requests by status",
            "Requests per second, by the status of the answer.",
            "reqps",
            Query(f"sum by (code) ({API_REQUESTS})", "{{code}}"),
            stack=True,
        ),
        lines(
            "API error ratio",
            "The share of requests that the API server answered with 5xx.",
            "percentunit",
            Query("cluster:apiserver_request_errors:ratio_rate5m", "errors"),
            limits=(0.01, 0.05),
        ),
        lines(
            "API latency",
            "The time within which 50 and 99 of 100 requests are answered; streams (WATCH, CONNECT) are "
            "left out.",
            "s",
            *(
                Query(
                    s.recorded_mean(f"cluster:apiserver_{kind}_latency_seconds:{share}_rate5m"),
                    f"{kind} {share}",
                )
                for kind in ("read", "write")
                for share in ("p50", "p99")
            ),
        ),
        lines(
            "API requests in flight",
            "Requests that are being answered, reading and changing ones.",
            "short",
            Query(
                _now("apiserver_current_inflight_requests", "apiserver", "node, request_kind"),
                "{{node}} {{request_kind}}",
            ),
            link=TO_NODE,
        ),
        lines(
            "API requests turned away",
            "Requests per second that priority and fairness turned away, by the client's priority level.",
            "reqps",
            Query(
                _rate("apiserver_flowcontrol_rejected_requests_total", "apiserver", "priority_level"),
                "{{priority_level}}",
            ),
        ),
        lines(
            "Slowest resources",
            "The time within which 99 of 100 requests for a resource are answered; the ten slowest.",
            "s",
            Query(
                f"topk(10, {s.recorded_mean('resource:apiserver_request_latency_seconds:p99_rate5m')})",
                "{{resource}}",
            ),
        ),
        lines(
            "Objects stored",
            "Objects in etcd by kind; the ten most frequent.",
            "short",
            Query(f"topk(10, {_now('apiserver_storage_objects', 'apiserver', 'resource')})", "{{resource}}"),
            decimals=0,
        ),
        *_process("API server", "apiserver"),
    ),
)

ETCD = Row(
    "etcd",
    (
        number_now(
            "Members with a leader",
            "Members of etcd that know a leader, beside all members. Without a leader nothing can be "
            "changed.",
            "short",
            Query(f"sum({_now('etcd_server_has_leader', 'etcd')})", "with a leader"),
            Query(f"count({s.series('up', 'etcd')})", "all"),
            decimals=0,
        ),
        number_now(
            "Leader changes",
            "How often the leader has changed, over the chosen time.",
            "short",
            Query(
                f"max(increase({s.series('etcd_server_leader_changes_seen_total', 'etcd')}[{s.RANGE}]))",
                "changes",
            ),
            limits=(1, 3),
            decimals=0,
        ),
        number_now(
            "Fullest database",
            "The database's size as a share of its quota. When it is full, etcd accepts nothing but "
            "deletions.",
            "percentunit",
            Query(
                f"max({_now('etcd_mvcc_db_total_size_in_bytes', 'etcd')} / "
                f"{_now('etcd_server_quota_backend_bytes', 'etcd')})",
                "of the quota",
            ),
            limits=(0.7, 0.9),
            decimals=1,
        ),
        lines(
            "etcd: database",
            "The database's size, and what of it is in use; the rest is freed by defragmenting.",
            "bytes",
            Query(_now("etcd_mvcc_db_total_size_in_bytes", "etcd"), "{{node}} size"),
            Query(_now("etcd_mvcc_db_total_size_in_use_in_bytes", "etcd"), "{{node}} in use"),
            link=TO_NODE,
        ),
        lines(
            "etcd: time to write to disk",
            "The time within which 99 of 100 writes reach the disk. The log should take less than 10 ms.",
            "s",
            Query(s.quantile(0.99, "etcd_disk_wal_fsync_duration_seconds", "etcd", "node"), "{{node}} log"),
            Query(
                s.quantile(0.99, "etcd_disk_backend_commit_duration_seconds", "etcd", "node"),
                "{{node}} database",
            ),
            link=TO_NODE,
        ),
        lines(
            "etcd: proposals",
            "Changes per second that the members agreed on, and that failed; and changes that wait.",
            "ops",
            Query(_rate("etcd_server_proposals_committed_total", "etcd", "node"), "{{node}} agreed"),
            Query(_rate("etcd_server_proposals_failed_total", "etcd", "node"), "{{node}} failed"),
            Query(_now("etcd_server_proposals_pending", "etcd"), "{{node}} waiting"),
            link=TO_NODE,
        ),
        lines(
            "etcd: round trips between members",
            "The time within which 99 of 100 messages to another member are answered. Empty with a single "
            "member.",
            "s",
            Query(s.quantile(0.99, "etcd_network_peer_round_trip_time_seconds", "etcd", "node"), "{{node}}"),
            link=TO_NODE,
        ),
        *_process("etcd", "etcd"),
    ),
)

CONTROLLERS = Row(
    "Scheduler and controller manager",
    (
        lines(
            "Pods that wait for a node",
            "Pods in the scheduler's queues: unschedulable ones fit on no node.",
            "short",
            Query(_now("scheduler_pending_pods", "scheduler", "queue"), "{{queue}}"),
            decimals=0,
        ),
        lines(
            "Scheduling attempts",
            "Attempts per second to find a node for a pod, by their result.",
            "ops",
            Query(_rate("scheduler_schedule_attempts_total", "scheduler", "result"), "{{result}}"),
        ),
        lines(
            "Time of an attempt",
            "The time within which 99 of 100 attempts find a node.",
            "s",
            Query(
                s.quantile(0.99, "scheduler_scheduling_attempt_duration_seconds", "scheduler", "result"),
                "{{result}}",
            ),
        ),
        lines(
            "Work queues: depth",
            "Objects that wait to be brought to their wanted state, the ten longest queues.",
            "short",
            Query(f"topk(10, {_now('workqueue_depth', 'controller-manager', 'name')})", "{{name}}"),
        ),
        lines(
            "Work queues: additions",
            "Objects per second that are put into a queue, the ten busiest.",
            "ops",
            Query(f"topk(10, {_rate('workqueue_adds_total', 'controller-manager', 'name')})", "{{name}}"),
        ),
        lines(
            "Work queues: waiting time",
            "The time within which 99 of 100 objects leave their queue, the ten slowest.",
            "s",
            Query(
                f"topk(10, {QUEUE_WAIT})",
                "{{name}}",
            ),
        ),
        *_process("Scheduler", "scheduler"),
        *_process("Controller manager", "controller-manager"),
    ),
    collapsed=True,
)

KUBELET = Row(
    "Kubelet",
    (
        lines(
            "Kubelet: pods and containers",
            "Pods and containers that run on each node.",
            "short",
            Query(_now("kubelet_running_pods", "kubelet"), "{{node}} pods"),
            Query(
                _now("kubelet_running_containers", "kubelet", "node", 'container_state="running"'),
                "{{node}} containers",
            ),
            decimals=0,
            link=TO_NODE,
        ),
        lines(
            "Kubelet: operations that fail",
            "Operations of the container runtime per second that failed, by kind.",
            "ops",
            Query(
                _rate("kubelet_runtime_operations_errors_total", "kubelet", "operation_type"),
                "{{operation_type}}",
            ),
        ),
        lines(
            "Kubelet: operations",
            "Operations of the container runtime per second, by kind.",
            "ops",
            Query(
                _rate("kubelet_runtime_operations_total", "kubelet", "operation_type"), "{{operation_type}}"
            ),
        ),
        lines(
            "Kubelet: time to start a pod",
            "The time within which 99 of 100 pods start, without pulling images.",
            "s",
            Query(s.quantile(0.99, "kubelet_pod_start_sli_duration_seconds", "kubelet", "node"), "{{node}}"),
            link=TO_NODE,
        ),
        lines(
            "Kubelet: time to look at all pods",
            "The time within which 99 of 100 rounds over the node's containers end; a slow one delays "
            "everything.",
            "s",
            Query(s.quantile(0.99, "kubelet_pleg_relist_duration_seconds", "kubelet", "node"), "{{node}}"),
            link=TO_NODE,
        ),
        lines(
            "Kubelet: certificate's time left",
            "How long the client certificate of each kubelet is still valid; it is renewed by itself.",
            "s",
            Query(
                f"min by (node) ({s.series('kubelet_certificate_manager_client_ttl_seconds', 'kubelet')})",
                "{{node}}",
            ),
            link=TO_NODE,
        ),
        *_process("Kubelet", "kubelet"),
    ),
    collapsed=True,
)

DNS = Row(
    "DNS: CoreDNS",
    (
        lines(
            "DNS questions by type",
            "Questions per second.",
            "reqps",
            Query(_rate("coredns_dns_requests_total", "coredns", "type"), "{{type}}"),
            stack=True,
        ),
        lines(
            "DNS answers by code",
            "Answers per second; SERVFAIL means that CoreDNS could not find out.",
            "reqps",
            Query(_rate("coredns_dns_responses_total", "coredns", "rcode"), "{{rcode}}"),
            stack=True,
        ),
        lines(
            "DNS latency",
            "The time within which 50 and 99 of 100 questions are answered.",
            "s",
            *(
                Query(
                    s.quantile(share, "coredns_dns_request_duration_seconds", "coredns"),
                    f"p{share * 100:.0f}",
                )
                for share in (0.5, 0.99)
            ),
        ),
        lines(
            "DNS cache",
            "The share of questions that were answered from the cache.",
            "percentunit",
            Query(
                # Hits are not counted before the first one, which names of the cluster itself never make.
                f"({_rate('coredns_cache_hits_total', 'coredns', '')} or 0 * {CACHE}) / ({CACHE} > 0)",
                "from the cache",
            ),
            top=1,
        ),
        *_process("CoreDNS", "coredns"),
    ),
    collapsed=True,
)

INGRESS = Row(
    "Ingress: Contour and Envoy",
    (
        lines(
            "Envoy: requests by status class",
            "Requests per second that clients make, by the first digit of the answer's status.",
            "reqps",
            Query(
                _rate("envoy_http_downstream_rq_xx", "envoy", "envoy_response_code_class"),
                "{{envoy_response_code_class}}xx",
            ),
            stack=True,
            colours=STATUS_COLOURS,
        ),
        lines(
            "Envoy: connections and requests",
            "Connections that are open and requests that are being answered.",
            "short",
            Query(
                s.grouped("sum", "node", s.series("envoy_http_downstream_cx_active", "envoy")),
                "{{node}} connections",
            ),
            Query(
                s.grouped("sum", "node", s.series("envoy_http_downstream_rq_active", "envoy")),
                "{{node}} requests",
            ),
            link=TO_NODE,
        ),
        lines(
            "Envoy: memory",
            "Memory that Envoy has taken from the system, and that it uses of it.",
            "bytes",
            Query(_now("envoy_server_memory_heap_size", "envoy"), "{{node}} taken"),
            Query(_now("envoy_server_memory_allocated", "envoy"), "{{node}} used"),
            link=TO_NODE,
        ),
        lines(
            "Envoy: certificates' time left",
            "Days until the first certificate of the ingress expires.",
            "d",
            Query(
                f"min by (node) ({s.series('envoy_server_days_until_first_cert_expiring', 'envoy')} < 10000)",
                "{{node}}",
            ),
            link=TO_NODE,
        ),
        lines(
            "Contour: rebuilds",
            "How often per second Contour has made its configuration anew, and changes it was told.",
            "ops",
            Query(_rate("contour_dagrebuild_total", "contour", ""), "rebuilt"),
            Query(_rate("contour_eventhandler_operation_total", "contour", "op"), "{{op}}"),
        ),
        *_process("Contour", "contour"),
    ),
    collapsed=True,
)

BOARD = Board(
    uid="croft-control-plane",
    description="API server, etcd, scheduler, controller manager, kubelet, CoreDNS, Contour and Envoy.",
    rows=(UP, APISERVER, ETCD, CONTROLLERS, KUBELET, DNS, INGRESS),
)
