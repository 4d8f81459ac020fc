"""Pods, replicas, quotas and volumes, in projects and in the platform's namespaces."""

from grafana import series as s
from grafana.rulebook import OF_THE_NAMESPACE, PROJECT, Alert, Group

POD = "namespace, workload, pod"
CONTAINER = s.CONTAINER
_REASON = "k8s_container_status_reason"


def _reason(reasons: str, by: str = CONTAINER) -> str:
    """Containers that have waited for one of these reasons within the last 5 minutes, and the reason."""
    where = f'{_REASON}=~"{reasons}"'
    return f"max by ({by}, {_REASON}) (max_over_time({s.series(_REASON, 'kube-state', where)}[5m])) > 0"


def _state(metric: str, by: str, where: str = "") -> str:
    return f"max by ({by}) ({s.series(f'k8s_{metric}', 'kube-state', where)})"


_WAITING = _state("container_status_state", CONTAINER, 'k8s_container_status_state="waiting"')
_KNOWN = f"max by ({CONTAINER}) ({_reason('CrashLoopBackOff|ErrImagePull|ImagePullBackOff')})"
_PHASE = _state("pod_phase", POD)
_UNREADY = f"min by ({POD}) ({s.series('k8s_container_ready', 'kube-state')}) == 0"
_NO_NODE = _state("pod_phase", POD, 'node=""')
_VOLUME = "namespace, workload, persistentvolumeclaim"
_USED = s.series("croft_volume_used_bytes", "storage")
_SIZE = f"max by ({_VOLUME}) ({s.series('croft_volume_capacity_bytes', 'storage')})"
_FULL = f"max by ({_VOLUME}) ({_USED}) / ({_SIZE} > 0)"
_TOMORROW = f"max by ({_VOLUME}) (predict_linear({_USED}[6h], 86400))"
_JOB = "namespace, job_name"

GROUP = Group(
    "workload-alerts",
    (
        Alert(
            "PodCrashLooping",
            f"max by ({CONTAINER}) ({_reason('CrashLoopBackOff')})",
            "5m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} ends again and again",
            "Container {{ $labels.container }} of pod {{ $labels.pod }} ends soon after each start; "
            "Kubernetes "
            "waits longer each time before it starts it again.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ContainerOutOfMemory",
            # Of containers that are still there: nobody has to hear of a project that was deleted.
            f"{s.oom_kills('', CONTAINER, '10m')} > 0 "
            f"and on ({CONTAINER}) {s.series('k8s_container_restarts', 'kube-state')}",
            "0m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} ran out of memory",
            "Container {{ $labels.container }} of pod {{ $labels.pod }} reached its memory limit and was "
            "ended "
            "and started again within the last 10 minutes.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ImageNotFound",
            f"max by ({CONTAINER}) ({_reason('ErrImagePull|ImagePullBackOff')})",
            "5m",
            "warning",
            "The image of {{ $labels.workload }} in {{ $labels.namespace }} cannot be pulled",
            "The image of container {{ $labels.container }} of pod {{ $labels.pod }} is not on the node and "
            "cannot be pulled from its registry.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ContainerCannotStart",
            f"{_WAITING} == 1 unless on ({CONTAINER}) {_KNOWN}",
            "15m",
            "warning",
            "A container of {{ $labels.workload }} in {{ $labels.namespace }} does not start",
            "Container {{ $labels.container }} of pod {{ $labels.pod }} has waited for 15 minutes, "
            "neither for "
            "its image nor after a crash: a Secret, ConfigMap or volume that it names may be missing.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "PodNotReady",
            f"{_UNREADY} and on ({POD}) {_PHASE} <= 2",
            "15m",
            "warning",
            "Pod {{ $labels.pod }} in {{ $labels.namespace }} is not ready",
            "A container of pod {{ $labels.pod }} has not passed its readiness probe for 15 minutes.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "PodUnschedulable",
            f"{_NO_NODE} == 1",
            "15m",
            "warning",
            "Pod {{ $labels.pod }} in {{ $labels.namespace }} finds no node",
            "No node has had room for pod {{ $labels.pod }} for 15 minutes, or none that it accepts.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ReplicasMissing",
            "namespace_workload:replicas_available:ratio < 1",
            "15m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} has fewer replicas than it wants",
            "Only {{ $value | humanizePercentage }} of the replicas of {{ $labels.workload }} have been "
            "available for 15 minutes.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "KubernetesJobFailed",
            f"{_state('job_failed_pods', _JOB)} > 0 and on ({_JOB}) {_state('job_active_pods', _JOB)} == 0 "
            f"and on ({_JOB}) {_state('job_successful_pods', _JOB)} == 0",
            "10m",
            "warning",
            "Job {{ $labels.job_name }} in {{ $labels.namespace }} has failed",
            "All pods of job {{ $labels.job_name }} have failed, and no further one is tried.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "CpuThrottled",
            "namespace_workload:cpu_throttled:ratio_rate5m > 0.5",
            "30m",
            "info",
            "{{ $labels.workload }} in {{ $labels.namespace }} is held back by its CPU limit",
            "In {{ $value | humanizePercentage }} of all scheduling periods of the last 30 minutes the "
            "CPU limit "
            "of {{ $labels.workload }} was reached.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "MemoryNearLimit",
            "namespace_workload:memory_used_of_limits:ratio > 0.95",
            "15m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} uses nearly all the memory that it may",
            "A container of {{ $labels.workload }} has used {{ $value | humanizePercentage }} of its memory "
            "limit for 15 minutes. A container that reaches its limit is ended.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "QuotaNearlyUsed",
            "namespace_resource:quota_used:ratio > 0.9",
            "15m",
            "info",
            "Project {{ $labels.namespace }} has used {{ $value | humanizePercentage }} of {{ "
            "$labels.resource }}",
            "The quota of project {{ $labels.namespace }} for {{ $labels.resource }} is nearly used. When "
            "it is, "
            "applications cannot be made larger, and pods that are replaced may not come back.",
            audience=PROJECT,
        ),
        Alert(
            "VolumeFilling",
            f"{_TOMORROW} > {_SIZE} and on ({_VOLUME}) {_FULL} > 0.6",
            "1h",
            "warning",
            "Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} will be full within a day",
            "At the pace of the last 6 hours, volume {{ $labels.persistentvolumeclaim }} of "
            "{{ $labels.workload }} is full in less than a day.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "VolumeNearlyFull",
            f"{_FULL} > 0.9",
            "10m",
            "warning",
            "Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} is "
            "{{ $value | humanizePercentage }} full",
            "Volume {{ $labels.persistentvolumeclaim }} of {{ $labels.workload }} is nearly full.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "AutoscalerAtMaximum",
            f"{_state('hpa_current_replicas', 'namespace, workload, hpa')} >= "
            f"{_state('hpa_max_replicas', 'namespace, workload, hpa')} > 1",
            "30m",
            "info",
            "The autoscaler of {{ $labels.workload }} in {{ $labels.namespace }} is at its maximum",
            "{{ $labels.workload }} has run with the most replicas that its autoscaler may start for 30 "
            "minutes; "
            "it cannot react to more load.",
            audience=OF_THE_NAMESPACE,
        ),
    ),
)
