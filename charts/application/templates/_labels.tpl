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

{{/* Number of the port that Prometheus asks: `metrics.port` is the name or the number of one of the ports. */}}
{{- define "application.metricsPort" -}}
{{- $wanted := .Values.metrics.port -}}
{{- $found := "" -}}
{{- range .Values.ports -}}
{{- $same := or (eq (toString $wanted) .name) (eq (toString $wanted) (.targetPort | int64 | toString)) -}}
{{- if and $same (ne .protocol "UDP") -}}
{{- $found = int64 .targetPort -}}
{{- end -}}
{{- end -}}
{{- if not $found -}}
{{- fail (printf "metrics.port %v is none of the ports; give the name or the targetPort of a TCP port" $wanted) -}}
{{- end -}}
{{- $found -}}
{{- end }}
