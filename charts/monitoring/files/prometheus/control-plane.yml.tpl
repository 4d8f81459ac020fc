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
