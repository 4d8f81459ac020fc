# Pods of the control plane are on their nodes' own network.
scrape_configs:
  - job_name: apiserver
    scheme: https
    {{- include "scrape.token" . | nindent 4 }}
    tls_config: {ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt}
    {{- include "scrape.pods" (list "kube-system" "component=kube-apiserver") | nindent 4 }}
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_ip], target_label: __address__, replacement: "$1:6443"}
      {{- include "scrape.node" . | nindent 6 }}
    metric_relabel_configs:
      # Some 30,000 series otherwise, most of them buckets that nobody looks at.
      - source_labels: [__name__]
        regex: apiserver_(request_duration|client_certificate_expiration)_seconds_bucket
        target_label: __tmp_wanted
        replacement: "yes"
      - {source_labels: [__tmp_wanted, __name__], regex: ;.+_bucket|.*;kubernetes_feature_enabled, action: drop}
      # How long a watch lasts says nothing; and half as many buckets tell the latency well enough.
      - {source_labels: [__name__, verb], regex: apiserver_request_duration_.+;(WATCH|CONNECT), action: drop}
      - source_labels: [__name__, le]
        regex: apiserver_request_duration_seconds_bucket;(0\.6|0\.8|1\.25|1\.5|3|4|6|8|15|20|45)(\.0)?
        action: drop
      - {regex: __tmp_wanted, action: labeldrop}
{{- range $job, $port := dict "scheduler" 10259 "controller-manager" 10257 }}

  - job_name: {{ $job }}
    scheme: https
    {{- include "scrape.token" $ | nindent 4 }}
    # It signs a certificate for itself each time it starts, which nobody can check. What it is shown in good faith
    # is a token that reads metrics and lists pods and nodes, no more.
    tls_config: {insecure_skip_verify: true}
    {{- include "scrape.pods" (list "kube-system" (printf "component=kube-%s" $job)) | nindent 4 }}
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_ip], target_label: __address__, replacement: "$1:{{ $port }}"}
      {{- include "scrape.node" $ | nindent 6 }}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: kubernetes_feature_enabled, action: drop}
{{- end }}

  - job_name: etcd
    # Its port for metrics alone. The other one would take a certificate that opens the whole database.
    {{- include "scrape.pods" (list "kube-system" "component=etcd") | nindent 4 }}
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_ip], target_label: __address__, replacement: "$1:2381"}
      {{- include "scrape.node" . | nindent 6 }}

  - job_name: coredns
    {{- include "scrape.pods" (list "kube-system" "k8s-app=kube-dns") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.pod" . | nindent 6 }}
      - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
