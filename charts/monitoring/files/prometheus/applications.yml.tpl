# What members run is asked only when it wants to be, and trusted with nothing: its series carry its own namespace, pod
# and workload whatever it says, and a target that says too much is not taken at all.
scrape_configs:
  - job_name: application
    scrape_interval: 15s
    scrape_timeout: 5s
    honor_labels: false
    honor_timestamps: false
    # A redirect would have Prometheus fetch from places that the application itself cannot reach.
    follow_redirects: false
    sample_limit: {{ int64 .Values.applications.samples }}
    body_size_limit: 5MB
    label_limit: 40
    label_name_length_limit: 200
    label_value_length_limit: 1000
    {{- include "scrape.pods" (list "" "croft.dev/metrics=true") | nindent 4 }}
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_phase], regex: Running, action: keep}
      # Only an address of the pod's own.
      - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_croft_dev_metrics_port]
        regex: "[0-9.]+;[0-9]{1,5}"
        action: keep
      - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_croft_dev_metrics_port]
        separator: ":"
        target_label: __address__
      - source_labels: [__meta_kubernetes_pod_annotation_croft_dev_metrics_path]
        regex: (/.*)
        target_label: __metrics_path__
      {{- include "scrape.pod" . | nindent 6 }}
      {{- include "scrape.workload" . | nindent 6 }}
    metric_relabel_configs:
      # Names that Prometheus gives itself, and names of recording rules.
      - {source_labels: [__name__], regex: "up|scrape_.+|ALERTS.*|.*:.*", action: drop}
