{{- $operator := or .Values.alertmanager.email.to .Values.alertmanager.webhook.existingSecret }}
{{- $email := .Values.alertmanager.email }}
route:
  # Everything goes to the portal, which shows it to those whom it concerns.
  receiver: portal
  group_by: [alertname, namespace]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  {{- if $operator }}
  routes:
    - receiver: operator
      matchers: ['audience="operator"', 'severity!="info"']
      group_wait: 1m
      group_interval: 5m
      repeat_interval: 12h
      continue: true
    - receiver: portal
  {{- end }}
inhibit_rules:
  # Who is told that it is critical need not hear that it is a warning as well.
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity=~"warning|info"']
    equal: [alertname, namespace, node, workload]
receivers:
  - name: portal
    webhook_configs:
      - url: {{ .Values.alertmanager.portal.url | toJson }}
        send_resolved: true
        http_config:
          follow_redirects: false
          authorization: {credentials_file: /etc/alertmanager-portal/token}
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
