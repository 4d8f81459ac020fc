{{- define "storage.labels" -}}
{{ include "storage.selector" . }}
app.kubernetes.io/part-of: croft
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "storage.selector" -}}
app.kubernetes.io/name: provisioner
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "storage.provisioner" -}}
croft.dev/local
{{- end }}
