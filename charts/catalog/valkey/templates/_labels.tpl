{{/* What selects the application's pods; never changes. */}}
{{- define "catalog.selector" -}}
app.kubernetes.io/name: {{ .Release.Name | quote }}
croft.dev/application: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels that every object of the application carries; Croft finds its objects by them. */}}
{{- define "catalog.labels" -}}
{{ include "catalog.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: croft
croft.dev/project: {{ .Release.Namespace | quote }}
croft.dev/catalog: {{ .Chart.Name | quote }}
{{- end }}
