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

{{/*
Who watches runs beside the control plane where it can: a machine that is lost shall not take along what tells of its
loss, and without the control plane nothing is left to be told.
*/}}
{{- define "monitoring.place" -}}
affinity:
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        preference:
          matchExpressions:
            - {key: node-role.kubernetes.io/control-plane, operator: Exists}
tolerations:
  # With workers, the control plane takes no other pods.
  - {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}
{{- end }}
