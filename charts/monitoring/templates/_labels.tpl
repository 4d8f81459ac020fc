{{/* Labels of every object; the argument is the list of the root context and the component's name. */}}
{{- define "monitoring.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/part-of: croft
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{/* Labels that find the pods of a component. */}}
{{- define "monitoring.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end }}

{{/* What a container may do: nothing that needs rights (the level `restricted`). */}}
{{- define "monitoring.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Pods with a volume: it belongs to the user that they run as. */}}
{{- define "monitoring.podSecurity" -}}
fsGroup: 65534
fsGroupChangePolicy: OnRootMismatch
{{- end }}
