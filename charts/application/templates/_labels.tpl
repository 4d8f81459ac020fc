{{/* What selects the application's pods; never changes. */}}
{{- define "application.selector" -}}
app.kubernetes.io/name: {{ .Release.Name | quote }}
croft.dev/application: {{ .Release.Name | quote }}
{{- end }}

{{/* Not empty while no pod may run: stopped by a member, or asleep with its project. */}}
{{- define "application.resting" -}}
{{- if or .Values.stopped .Values.asleep }}yes{{ end }}
{{- end }}

{{/* Labels that every object of the application carries. */}}
{{- define "application.labels" -}}
{{ include "application.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: croft
croft.dev/project: {{ .Release.Namespace | quote }}
{{- end }}
