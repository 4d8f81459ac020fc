{{/*
A volume that outlives the release: monitoring that is turned off and on again has its history back.
The argument is the list of the root context, the component's name, and its values `storage`.
*/}}
{{- define "monitoring.claim" -}}
{{- $storage := index . 2 -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ index . 1 }}-data
  labels: {{- include "monitoring.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with $storage.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests: {storage: {{ $storage.size }}}
{{- end }}
