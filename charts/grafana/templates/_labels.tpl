{{- define "grafana.labels" -}}
{{ include "grafana.selector" . }}
app.kubernetes.io/part-of: croft
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "grafana.selector" -}}
app.kubernetes.io/name: grafana
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Not empty when people sign in with an OpenID Connect provider. */}}
{{- define "grafana.oidc" -}}
{{- if .Values.oidc.authUrl }}yes{{ end }}
{{- end }}

{{/* A host name without scheme, port and path. */}}
{{- define "grafana.host" -}}
{{- (urlParse .Values.url).hostname -}}
{{- end }}
