{{/* Labels that every object of the project carries. */}}
{{- define "project.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: croft
croft.dev/project: {{ .Release.Name | quote }}
{{- end }}
