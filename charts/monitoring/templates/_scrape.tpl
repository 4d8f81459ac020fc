{{/*
What stands in several scrape jobs (files/prometheus). Names that start with __meta_ are what Prometheus finds out
from the API server.
*/}}

{{/* Pods that carry a label; the argument is the list of the namespace ("" for all) and the label. */}}
{{- define "scrape.pods" -}}
kubernetes_sd_configs:
  - role: pod
    {{- with index . 0 }}
    namespaces: {names: [{{ . }}]}
    {{- end }}
    selectors:
      - {role: pod, label: {{ index . 1 | quote }}}
{{- end }}

{{/* Pods that have ended are no targets; they stay in the list until somebody deletes them. */}}
{{- define "scrape.alive" -}}
- {source_labels: [__meta_kubernetes_pod_phase], regex: Succeeded|Failed, action: drop}
{{- end }}

{{/* The container's port of this name. */}}
{{- define "scrape.port" -}}
- {source_labels: [__meta_kubernetes_pod_container_port_name], regex: {{ . }}, action: keep}
{{- end }}

{{/* A part of monitoring itself, known by its pod; the argument is its port's name. */}}
{{- define "scrape.own" -}}
{{ include "scrape.alive" . }}
{{ include "scrape.port" . }}
- {source_labels: [__meta_kubernetes_pod_name], target_label: instance}
{{- end }}

{{/* Targets of which every node has one are known by the node: a new pod goes on with the old one's series. */}}
{{- define "scrape.node" -}}
- {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
- {source_labels: [__meta_kubernetes_pod_node_name], target_label: instance}
{{- end }}

{{- define "scrape.pod" -}}
- {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
- {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
{{- end }}

{{/* The API server lets this account read metrics, see prometheus-rights.yaml. */}}
{{- define "scrape.token" -}}
authorization: {credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token}
{{- end }}

{{/*
What owns a pod, from `namespace` and `pod`: web-5d4f8c7b9d-x7k2p (Deployment), db-0 (StatefulSet),
cadvisor-x7k2p (DaemonSet, Job) and dump-29384756-x7k2p (CronJob) without what Kubernetes appends, which is made of
the characters below (k8s.io/apimachinery, util/rand). A control plane's own pods carry the node's name instead.
*/}}
{{- define "scrape.workload" -}}
- source_labels: [namespace, pod]
  separator: /
  regex: 'kube-system/(etcd|kube-apiserver|kube-controller-manager|kube-scheduler)-.+|[^/]+/(.+?)(?:(?:-(?:[4-9bcdf]{7,10}|[0-9]{8,10}))?-[b-df-hj-np-tv-xz2456789]{5}|-[0-9]+)?'
  replacement: $1$2
  target_label: workload
{{- end }}
