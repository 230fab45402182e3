{{/* What all pods have in common. */}}

{{/* Of a pod, as the restricted Pod Security Standard wants it. */}}
{{- define "posthouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "posthouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Takes (list root component values): spreads over zones first, then nodes. */}}
{{- define "posthouse.spread" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- if kindIs "invalid" $values.topologySpreadConstraints -}}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: {{ default "ScheduleAnyway" $values.whenUnsatisfiable }}
  labelSelector:
    matchLabels:
      {{- include "posthouse.selector" (list $root (index $ 1)) | nindent 6 }}
  {{- if ne (index $ 1) "nats" }}
  # Pods that an update is about to take away do not count.
  matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}
{{- else -}}
{{- toYaml $values.topologySpreadConstraints -}}
{{- end -}}
{{- end -}}

{{/* Where a pod may run. Takes (list root component values). */}}
{{- define "posthouse.placement" -}}
{{- $values := index . 2 -}}
{{- with include "posthouse.spread" . | trim }}
topologySpreadConstraints:
  {{- . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Account, secrets for the registry, and no variables for each Service of the namespace. */}}
{{- define "posthouse.podBasics" -}}
serviceAccountName: {{ include "posthouse.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Takes (list root component values annotations). */}}
{{- define "posthouse.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
labels:
  {{- $labels := include "posthouse.labels" (list $root (index . 1)) | fromYaml }}
  {{- toYaml (mergeOverwrite (deepCopy $values.podLabels) $labels) | nindent 2 }}
{{- with mergeOverwrite (deepCopy $root.Values.commonAnnotations) (index . 3) $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Says where the metrics are. */}}
{{- define "posthouse.scrapeAnnotations" -}}
{{- if .Values.monitoring.scrapeAnnotations }}
prometheus.io/scrape: 'true'
prometheus.io/port: '8080'
prometheus.io/path: /metrics
{{- end }}
{{- end -}}

{{/* Probes of a service's own port. It is ready again soon after it can serve, and out of the endpoints soon after it cannot. */}}
{{- define "posthouse.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{/* How to reach NATS. Takes (list root user …): the users whose passwords are mounted. */}}
{{- define "posthouse.natsVolumes" -}}
{{- $root := index . 0 -}}
- name: nats-password
  secret:
    secretName: {{ include "posthouse.natsUsersSecret" $root }}
    defaultMode: 0440
    items:
      {{- range rest . }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- with include "posthouse.clientTlsSecret" $root }}
- name: nats-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "posthouse.natsMounts" -}}
- {name: nats-password, mountPath: /etc/posthouse/nats-password, readOnly: true}
{{- if include "posthouse.clientTlsSecret" . }}
- {name: nats-tls, mountPath: /etc/posthouse/nats-tls, readOnly: true}
{{- end }}
{{- end -}}

{{/* Settings of every service. Takes (list root component values notReadySeconds). */}}
{{- define "posthouse.commonSettings" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
hostname: {{ include "posthouse.hostname" $root }}
http: {host: '{{ $root.Values.listenAddress }}', port: 8080}
stop:
  notReadyFor: {{ index . 3 }}s
  deadline: {{ $values.drain.deadlineSeconds }}s
nats:
  {{- include "posthouse.natsSettings" (list $root (index . 1)) | nindent 2 }}
queue:
  partitions: {{ $root.Values.queue.partitions }}
  replicas: {{ include "posthouse.replicas" $root }}
  storage: {{ include "posthouse.storage" $root }}
{{- end -}}
