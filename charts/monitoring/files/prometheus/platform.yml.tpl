# What monitoring itself consists of is found by the API server, not by name: the cluster's DNS may be what fails.
scrape_configs:
  - job_name: kube-state
    {{- include "scrape.pods" (list .Release.Namespace "app.kubernetes.io/name=k8s-cluster") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.own" "metrics" | nindent 6 }}
    metric_relabel_configs:
      - {source_labels: [k8s_namespace_name], target_label: namespace}
      # `job` is the scrape job's name, so that a Job of Kubernetes is a job_name.
      - {source_labels: [k8s_job_name], target_label: job_name}
      {{- range list "pod" "container" "node" "deployment" "statefulset" "daemonset" "replicaset" "hpa" "cronjob" "resourcequota" }}
      - {source_labels: [k8s_{{ . }}_name], target_label: {{ . }}}
      {{- end }}
      {{- include "scrape.workload" . | nindent 6 }}
      # An autoscaler of an application has its name.
      - {source_labels: [deployment, statefulset, daemonset, hpa, cronjob], separator: "", regex: (.+), target_label: workload}
      - {regex: k8s_(.+)_(name|uid)|container_(id|image_.+)|otel_scope_.+, action: labeldrop}

  - job_name: contour
    {{- include "scrape.pods" (list .Values.namespaces.ingress "app.kubernetes.io/name=contour") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.pod" . | nindent 6 }}
      - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}

  - job_name: envoy
    scrape_interval: 15s
    metrics_path: /stats/prometheus
    {{- include "scrape.pods" (list .Values.namespaces.ingress "app.kubernetes.io/name=envoy") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.node" . | nindent 6 }}
    metric_relabel_configs:
      # Some 150 series an application otherwise, of which these are what users feel.
      - source_labels: [__name__]
        regex: "envoy_cluster_upstream_(rq(_xx|_active|_timeout|_retry|_pending_overflow|_time_.+)?|cx_(total|active|overflow|connect_.+|destroy_.+|.x_bytes_total))\
          |envoy_http_downstream_(rq|cx)_(xx|total|active)|envoy_listener_(downstream_.+|ssl_connection_error)\
          |envoy_server_(live|uptime|memory_.+|days_until_first_cert_expiring)"
        action: keep
      - {source_labels: [__name__], regex: envoy_.+_cx_(connect|length)_ms_.+, action: drop}
      # Contour names a cluster <namespace>_<service>_<port>; an application's service has its name.
      - {source_labels: [envoy_cluster_name], regex: "([^_]+)_([^_]+)_([^_]+)", target_label: namespace}
      - {source_labels: [envoy_cluster_name], regex: "([^_]+)_([^_]+)_([^_]+)", target_label: workload, replacement: $2}
      # What Envoy asks itself (its own state, Contour) is nobody's request.
      - {source_labels: [__name__, namespace], regex: "envoy_cluster_.+;({{ .Values.namespaces.ingress }})?", action: drop}

  - job_name: portal
    scrape_interval: 15s
    {{- include "scrape.pods" (list .Values.namespaces.portal "app.kubernetes.io/name=portal") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      - {source_labels: [__meta_kubernetes_pod_container_port_number], regex: 9101|9102, action: keep}
      {{- include "scrape.pod" . | nindent 6 }}
      - {source_labels: [__meta_kubernetes_pod_container_port_number], regex: "9101", target_label: component, replacement: web}
      - {source_labels: [__meta_kubernetes_pod_container_port_number], regex: "9102", target_label: component, replacement: worker}

  - job_name: storage
    {{- include "scrape.pods" (list .Values.namespaces.storage "app.kubernetes.io/name=provisioner") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.node" . | nindent 6 }}

  - job_name: prometheus
    static_configs: [{targets: ["localhost:9090"]}]

  - job_name: alertmanager
    {{- include "scrape.pods" (list .Release.Namespace "app.kubernetes.io/name=alertmanager") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.own" "http" | nindent 6 }}

  - job_name: label-proxy
    {{- include "scrape.pods" (list .Release.Namespace "app.kubernetes.io/name=label-proxy") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.own" "metrics" | nindent 6 }}
