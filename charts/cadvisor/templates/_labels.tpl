{{- define "cadvisor.labels" -}}
{{ include "cadvisor.selector" . }}
app.kubernetes.io/part-of: croft
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "cadvisor.selector" -}}
app.kubernetes.io/name: cadvisor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
