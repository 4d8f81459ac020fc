scrape_configs:
  - job_name: cadvisor
    scrape_interval: 15s
    # Left alone, it looks at each container at moments of its own, up to twice its interval apart: what it tells would
    # be half a minute old, and rates of the last minute a fifth too low.
    params: {max_age: [5s]}
    # It says itself when it looked. Without this, a container that is gone would be counted for five minutes more.
    track_timestamps_staleness: true
    {{- include "scrape.pods" (list .Release.Namespace "app.kubernetes.io/name=cadvisor") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.node" . | nindent 6 }}
    metric_relabel_configs:
      - {source_labels: [container_label_io_kubernetes_pod_namespace], target_label: namespace}
      - {source_labels: [container_label_io_kubernetes_pod_name], target_label: pod}
      - {source_labels: [container_label_io_kubernetes_container_name], target_label: container}
      # The same as container_fs_*, by device number.
      - {source_labels: [__name__], regex: container_blkio_device_usage_total, action: drop}
      # Cgroups of the node, and of pods as a whole: they repeat what their containers use. A pod's network is not
      # its containers' but its sandbox's, which has no container's name.
      - {source_labels: [__name__, namespace], regex: container_.+;, action: drop}
      - {source_labels: [__name__], regex: container_network_.+, target_label: __tmp_of_pod, replacement: "yes"}
      - {source_labels: [__tmp_of_pod, __name__, container], regex: ;container_.+;, action: drop}
      {{- include "scrape.workload" . | nindent 6 }}
      # Pods on the node's own network: it is the node's traffic, told once for each of them, and with a device for
      # each other pod. Only the platform has such pods.
      - source_labels: [__tmp_of_pod, namespace, workload]
        regex: yes;(kube-system;(etcd|kube-.+|cilium.*)|{{ .Release.Namespace }};node-exporter)
        action: drop
      - {regex: container_label_.+|__tmp_of_pod|id|name|image|boot_id|machine_id|system_uuid, action: labeldrop}

  - job_name: node
    scrape_interval: 15s
    {{- include "scrape.pods" (list .Release.Namespace "app.kubernetes.io/name=node-exporter") | nindent 4 }}
    relabel_configs:
      {{- include "scrape.alive" . | nindent 6 }}
      {{- include "scrape.port" "metrics" | nindent 6 }}
      {{- include "scrape.node" . | nindent 6 }}

  - job_name: kubelet
    scheme: https
    {{- include "scrape.token" . | nindent 4 }}
    # kubeadm lets each kubelet sign its own certificate, which nobody can check.
    tls_config:
      ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
      insecure_skip_verify: {{ not .Values.verifyKubelets }}
    kubernetes_sd_configs:
      - role: node
    relabel_configs:
      - {source_labels: [__meta_kubernetes_node_name], target_label: node}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: kubernetes_feature_enabled, action: drop}
