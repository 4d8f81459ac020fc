{{/* Labels of every object; the selector labels of a component come from portal.selector. */}}
{{- define "portal.labels" -}}
app.kubernetes.io/name: portal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: croft
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "portal.selector" -}}
app.kubernetes.io/name: portal
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "portal.host" -}}
{{- (urlParse .Values.externalUrl).hostname -}}
{{- end }}

{{/* The name changes with the contents, so that the pods start anew. */}}
{{- define "portal.authorities" -}}
{{ .Release.Name }}-authorities-{{ .Values.caCertificates | sha256sum | trunc 8 }}
{{- end }}

{{/* What both processes are told; secrets only as files. */}}
{{- define "portal.env" -}}
- {name: CROFT_EXTERNAL_URL, value: {{ .Values.externalUrl | quote }}}
- {name: CROFT_DOMAIN, value: {{ .Values.domain | quote }}}
- {name: CROFT_HTTP_PORT, value: {{ .Values.httpPort | quote }}}
- {name: CROFT_HTTPS_PORT, value: {{ .Values.httpsPort | quote }}}
- {name: CROFT_CERT_ISSUER, value: {{ .Values.certIssuer | quote }}}
- {name: CROFT_API_SERVER, value: {{ .Values.apiServer | quote }}}
- {name: CROFT_SMTP_HOST, value: {{ .Values.smtp.host | quote }}}
- {name: CROFT_SMTP_FROM, value: {{ .Values.smtp.from | quote }}}
- {name: CROFT_WEBHOOK_ALLOWED_CIDRS, value: {{ join "," .Values.webhooks.allowedCidrs | quote }}}
- {name: CROFT_CLUSTER_CIDRS, value: {{ join "," .Values.webhooks.clusterCidrs | quote }}}
{{- if .Values.caCertificates }}
- {name: CROFT_CA_FILE, value: /run/authorities/ca.pem}
{{- end }}
- {name: CROFT_SELF_REGISTRATION, value: {{ .Values.selfRegistration | quote }}}
{{- with .Values.oidc }}
{{- if .issuer }}
- {name: CROFT_OIDC_ISSUER, value: {{ .issuer | quote }}}
- {name: CROFT_OIDC_CLIENT_ID, value: {{ .clientId | quote }}}
- {name: CROFT_OIDC_NAME, value: {{ .name | quote }}}
- {name: CROFT_OIDC_ADMIN_GROUP, value: {{ .adminGroup | quote }}}
{{- if .existingSecret }}
- {name: CROFT_OIDC_CLIENT_SECRET_FILE, value: /run/secrets/oidc/client-secret}
{{- end }}
{{- end }}
{{- end }}
# Envoy is the one proxy before the portal; it appends the client's address.
- {name: CROFT_PROXY_HOPS, value: "1"}
- {name: CROFT_SECRET_KEY_FILE, value: /run/secrets/portal/secret-key}
- {name: CROFT_JWT_SECRET_KEY_FILE, value: /run/secrets/portal/jwt-secret-key}
- {name: CROFT_ENCRYPTION_KEYS_FILE, value: /run/secrets/portal/encryption-keys}
{{- if .Values.database.external }}
- {name: CROFT_DATABASE_URL_FILE, value: /run/secrets/database/url}
{{- else }}
- {name: CROFT_DATABASE_URL, value: "sqlite:////var/lib/croft/portal.db"}
{{- end }}
{{- end }}

{{- define "portal.mounts" -}}
- {name: secrets, mountPath: /run/secrets/portal, readOnly: true}
{{- if and .Values.oidc.issuer .Values.oidc.existingSecret }}
- {name: oidc, mountPath: /run/secrets/oidc, readOnly: true}
{{- end }}
{{- if .Values.caCertificates }}
- {name: authorities, mountPath: /run/authorities, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- if not .Values.database.external }}
- {name: data, mountPath: /var/lib/croft}
{{- else }}
- {name: database, mountPath: /run/secrets/database, readOnly: true}
{{- end }}
{{- end }}

{{- define "portal.volumes" -}}
- name: secrets
  secret:
    secretName: {{ .Values.existingSecret }}
    defaultMode: 0440
    items:
      - {key: secret-key, path: secret-key}
      - {key: jwt-secret-key, path: jwt-secret-key}
      - {key: encryption-keys, path: encryption-keys}
{{- if and .Values.oidc.issuer .Values.oidc.existingSecret }}
- name: oidc
  secret:
    secretName: {{ .Values.oidc.existingSecret }}
    defaultMode: 0440
    items: [{key: client-secret, path: client-secret}]
{{- end }}
{{- if .Values.caCertificates }}
- name: authorities
  configMap: {name: {{ include "portal.authorities" . }}}
{{- end }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- if not .Values.database.external }}
- name: data
  persistentVolumeClaim: {claimName: {{ .Release.Name }}-data}
{{- else }}
- name: database
  secret:
    secretName: {{ .Values.database.existingSecret }}
    defaultMode: 0440
    items: [{key: url, path: url}]
{{- end }}
{{- end }}

{{- define "portal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "portal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Brings the database to the newest revision and makes the first administrator, before anything serves. */}}
{{- define "portal.migrate" -}}
- name: migrate
  image: {{ .Values.image }}
  imagePullPolicy: IfNotPresent
  command: [python, -m, webapp.prepare]
  env:
    {{- include "portal.env" . | nindent 4 }}
    - {name: CROFT_DATABASE_BACKUP, value: {{ .Values.database.backup | quote }}}
    - {name: CROFT_ADMIN_NAME_FILE, value: /run/secrets/admin/admin-name}
    - {name: CROFT_ADMIN_PASSWORD_FILE, value: /run/secrets/admin/admin-password}
  securityContext:
    {{- include "portal.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.web.resources | nindent 4 }}
  volumeMounts:
    {{- include "portal.mounts" . | nindent 4 }}
    - {name: admin, mountPath: /run/secrets/admin, readOnly: true}
{{- end }}

{{- define "portal.migrateVolumes" -}}
- name: admin
  secret:
    secretName: {{ .Values.existingSecret }}
    defaultMode: 0440
    items: [{key: admin-name, path: admin-name}, {key: admin-password, path: admin-password}]
{{- end }}

{{- define "portal.web" -}}
- name: web
  image: {{ .Values.image }}
  imagePullPolicy: IfNotPresent
  command: [gunicorn, -c, webapp/gunicorn.conf.py, "webapp.wsgi:application"]
  env:
    {{- include "portal.env" . | nindent 4 }}
    # Hundreds of threads would otherwise keep a heap of their own each.
    - {name: MALLOC_ARENA_MAX, value: "2"}
    - {name: CROFT_METRICS_PORT, value: "9101"}
    - {name: CROFT_PROMETHEUS_URL, value: {{ .Values.monitoring.prometheusUrl | quote }}}
    - {name: CROFT_LABEL_PROXY_URL, value: {{ .Values.monitoring.labelProxyUrl | quote }}}
    - {name: CROFT_ALERTMANAGER_URL, value: {{ .Values.monitoring.alertmanagerUrl | quote }}}
    - {name: CROFT_METRICS_RETENTION_DAYS, value: {{ .Values.monitoring.retentionDays | quote }}}
    {{- if .Values.monitoring.alertsSecret }}
    - {name: CROFT_ALERTS_TOKEN_FILE, value: /run/secrets/alerts/token}
    {{- end }}
  ports:
    - {name: http, containerPort: 8000}
    # Prometheus finds the pods by the names of these ports; the Service has none of them.
    - {name: metrics-web, containerPort: 9101}
  startupProbe:
    httpGet: {path: /healthz, port: http}
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    httpGet: {path: /readyz, port: http}
    periodSeconds: 5
    timeoutSeconds: 3
  livenessProbe:
    httpGet: {path: /healthz, port: http}
    periodSeconds: 20
    timeoutSeconds: 5
  securityContext:
    {{- include "portal.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.web.resources | nindent 4 }}
  volumeMounts:
    {{- include "portal.mounts" . | nindent 4 }}
    {{- if .Values.monitoring.alertsSecret }}
    - {name: alerts, mountPath: /run/secrets/alerts, readOnly: true}
    {{- end }}
{{- end }}

{{/* What the web process needs beside what both have. */}}
{{- define "portal.webVolumes" -}}
{{- with .Values.monitoring.alertsSecret -}}
- name: alerts
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{key: token, path: token}]
{{- end }}
{{- end }}

{{- define "portal.worker" -}}
- name: worker
  image: {{ .Values.image }}
  imagePullPolicy: IfNotPresent
  command: [python, -m, webapp.worker]
  env:
    {{- include "portal.env" . | nindent 4 }}
    - {name: CROFT_WORKER_SLOTS, value: {{ .Values.worker.slots | quote }}}
    - {name: CROFT_JOB_TIMEOUT, value: {{ .Values.worker.jobTimeout | quote }}}
    - {name: CROFT_JOB_DIR, value: /run/croft}
    - {name: CROFT_JOB_RETENTION_DAYS, value: {{ .Values.retention.jobs | quote }}}
    - {name: CROFT_AUDIT_RETENTION_DAYS, value: {{ .Values.retention.audit | quote }}}
    - {name: CROFT_SMTP_PORT, value: {{ .Values.smtp.port | quote }}}
    - {name: CROFT_SMTP_SECURITY, value: {{ .Values.smtp.security | quote }}}
    - {name: CROFT_SMTP_USER, value: {{ .Values.smtp.user | quote }}}
    {{- if .Values.smtp.existingSecret }}
    - {name: CROFT_SMTP_PASSWORD_FILE, value: /run/secrets/smtp/password}
    {{- end }}
    - {name: CROFT_METRICS_PORT, value: "9102"}
  ports:
    - {name: metrics-worker, containerPort: 9102}
  livenessProbe:
    exec: {command: [python, -m, webapp.worker, --check]}
    periodSeconds: 30
    timeoutSeconds: 10
  securityContext:
    {{- include "portal.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.worker.resources | nindent 4 }}
  volumeMounts:
    {{- include "portal.mounts" . | nindent 4 }}
    - {name: jobs, mountPath: /run/croft}
    {{- if .Values.smtp.existingSecret }}
    - {name: smtp, mountPath: /run/secrets/smtp, readOnly: true}
    {{- end }}
{{- end }}

{{/* Requests hold secret values while a job runs, so its folder lives in memory and ends with the pod. */}}
{{- define "portal.workerVolumes" -}}
- name: jobs
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- if .Values.smtp.existingSecret }}
- name: smtp
  secret:
    secretName: {{ .Values.smtp.existingSecret }}
    defaultMode: 0440
    items: [{key: password, path: password}]
{{- end }}
{{- end }}
