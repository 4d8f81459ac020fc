{{- $operator := or .Values.alertmanager.email.to .Values.alertmanager.webhook.existingSecret }}
{{- $email := .Values.alertmanager.email }}
{{- $watchdog := .Values.alertmanager.watchdog.existingSecret }}
route:
  # Everything goes to the portal, which shows it to those whom it concerns.
  receiver: portal
  group_by: [alertname, namespace]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  {{- if or $operator $watchdog }}
  routes:
    {{- if $watchdog }}
    # Again and again: its silence is what tells that alerts do not come out any more. Alertmanager looks once a
    # minute whether so much time has passed, so that it is every 5 minutes.
    - receiver: watchdog
      matchers: ['alertname="Watchdog"']
      group_interval: 1m
      repeat_interval: 4m30s
      continue: true
    {{- end }}
    {{- if $operator }}
    - receiver: operator
      matchers: ['audience="operator"', 'severity!="info"']
      group_wait: 1m
      group_interval: 5m
      repeat_interval: 12h
      continue: true
    {{- end }}
    - receiver: portal
  {{- end }}
inhibit_rules:
  # Who hears the worse need not hear the lesser of the same thing as well.
  {{- range $worse, $lesser := dict
      "CertificateExpiresSoon" "CertificateExpires"
      "KubeletCertificateExpiresSoon" "KubeletCertificateExpires"
      "IngressCertificateExpiresSoon" "IngressCertificateExpires"
      "NodeDiskFull" "NodeDiskNearlyFull"
      "ApplicationDown" "ReplicasMissing" }}
  - source_matchers: ['alertname="{{ $worse }}"']
    target_matchers: ['alertname="{{ $lesser }}"']
    equal: [job, node, device, mountpoint, namespace, workload]
  {{- end }}
receivers:
  - name: portal
    webhook_configs:
      - url: {{ .Values.alertmanager.portal.url | toJson }}
        send_resolved: true
        http_config:
          follow_redirects: false
          authorization: {credentials_file: /etc/alertmanager-portal/token}
  {{- if $watchdog }}
  - name: watchdog
    webhook_configs:
      - url_file: /etc/alertmanager-watchdog/url
        send_resolved: false
  {{- end }}
  {{- if $operator }}
  - name: operator
    {{- if $email.to }}
    email_configs:
      - to: {{ $email.to | toJson }}
        from: {{ $email.from | toJson }}
        smarthost: {{ printf "%s:%d" $email.host (int64 $email.port) | toJson }}
        require_tls: {{ $email.requireTls }}
        send_resolved: true
        {{- if $email.existingSecret }}
        auth_username: {{ $email.user | toJson }}
        auth_password_file: /etc/alertmanager-email/password
        {{- end }}
    {{- end }}
    {{- if .Values.alertmanager.webhook.existingSecret }}
    webhook_configs:
      - url_file: /etc/alertmanager-webhook/url
        send_resolved: true
    {{- end }}
  {{- end }}
