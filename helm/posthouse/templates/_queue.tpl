{{/* What the nodes and the NATS servers must agree on. */}}

{{- define "posthouse.natsName" -}}
{{- printf "%s-nats" (include "posthouse.fullname" .) -}}
{{- end -}}

{{/* How many servers there are. */}}
{{- define "posthouse.natsServerCount" -}}
{{- if .Values.nats.external.enabled -}}{{ .Values.nats.external.serverCount }}{{- else -}}{{ .Values.nats.replicas }}{{- end -}}
{{- end -}}

{{- define "posthouse.replicas" -}}
{{- if kindIs "invalid" .Values.queue.replicas -}}
{{- min 3 (include "posthouse.natsServerCount" . | int) -}}
{{- else -}}
{{- .Values.queue.replicas -}}
{{- end -}}
{{- end -}}

{{/* Addresses for nats.servers, as a list in YAML. Each server by its own name, so that a node knows which one it is at. */}}
{{- define "posthouse.natsServers" -}}
{{- if .Values.nats.external.enabled -}}
{{- toYaml .Values.nats.external.servers -}}
{{- else -}}
{{- $name := include "posthouse.natsName" . -}}
{{- range $n := until (int .Values.nats.replicas) }}
- {{ printf "%s-%d.%s-headless.%s.svc.%s:4222" $name $n $name $.Release.Namespace $.Values.clusterDomain }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Mebibytes of a Kubernetes quantity (Mi, Gi, Ti) or a size of the settings (MiB, GiB, TiB). */}}
{{- define "posthouse.mebibytes" -}}
{{- $size := . | trimSuffix "B" -}}
{{- if hasSuffix "Ti" $size -}}
{{- mul 1048576 (trimSuffix "Ti" $size | int64) -}}
{{- else if hasSuffix "Gi" $size -}}
{{- mul 1024 (trimSuffix "Gi" $size | int64) -}}
{{- else -}}
{{- trimSuffix "Mi" $size | int64 -}}
{{- end -}}
{{- end -}}

{{/* MiB that the streams may take on each server. */}}
{{- define "posthouse.maxFileStore" -}}
{{- if .Values.nats.maxFileStore -}}
{{- include "posthouse.mebibytes" .Values.nats.maxFileStore -}}
{{- else -}}
{{- div (mul 85 (include "posthouse.mebibytes" .Values.nats.persistence.size | int64)) 100 -}}
{{- end -}}
{{- end -}}

{{/* queue.storage: a little below max_file_store, as the servers reserve the streams' limits against it. */}}
{{- define "posthouse.storage" -}}
{{- if .Values.queue.storage -}}
{{- .Values.queue.storage -}}
{{- else if .Values.nats.external.enabled -}}
3840MiB
{{- else -}}
{{- printf "%dMiB" (div (mul 94 (include "posthouse.maxFileStore" . | int64)) 100) -}}
{{- end -}}
{{- end -}}

{{/* Names of the Secrets. */}}
{{- define "posthouse.natsUsersSecret" -}}
{{- default (printf "%s-nats-users" (include "posthouse.fullname" .)) .Values.nats.usersExistingSecret -}}
{{- end -}}
{{- define "posthouse.natsTlsSecret" -}}
{{- default (printf "%s-nats-tls" (include "posthouse.fullname" .)) .Values.internalTls.existingSecrets.nats -}}
{{- end -}}
{{/* Empty: no TLS. */}}
{{- define "posthouse.clientTlsSecret" -}}
{{- if .Values.nats.external.enabled -}}
{{- .Values.nats.external.tlsExistingSecret -}}
{{- else -}}
{{- default (printf "%s-client-tls" (include "posthouse.fullname" .)) .Values.internalTls.existingSecrets.client -}}
{{- end -}}
{{- end -}}
{{- define "posthouse.encryptionSecret" -}}
{{- default (printf "%s-nats-encryption" (include "posthouse.fullname" .)) .Values.nats.encryption.existingSecret -}}
{{- end -}}
{{- define "posthouse.smtpTlsSecret" -}}
{{- default (printf "%s-smtp-tls" (include "posthouse.fullname" .)) .Values.edge.tls.existingSecret -}}
{{- end -}}
{{- define "posthouse.usersSecret" -}}
{{- printf "%s-users" (include "posthouse.fullname" .) -}}
{{- end -}}
{{- define "posthouse.testSecret" -}}
{{- printf "%s-test" (include "posthouse.fullname" .) -}}
{{- end -}}
{{/* "true" where the chart's own authority signs something. */}}
{{- define "posthouse.hasAuthority" -}}
{{- $nats := and (not .Values.nats.external.enabled) (not .Values.internalTls.certManager.enabled) (not (and .Values.internalTls.existingSecrets.nats .Values.internalTls.existingSecrets.client)) -}}
{{- $smtp := and (not .Values.edge.tls.existingSecret) (not .Values.edge.tls.certManager.enabled) -}}
{{- if or $nats $smtp -}}true{{- end -}}
{{- end -}}

{{/* "true" where `helm test` has a user of its own. */}}
{{- define "posthouse.hasTestUser" -}}
{{- if and .Values.test.enabled (not .Values.edge.usersExistingSecret) (or .Values.edge.listeners.submission.enabled .Values.edge.listeners.submissions.enabled) -}}true{{- end -}}
{{- end -}}

{{/* The nats.* settings of a process. Takes (list root user). */}}
{{- define "posthouse.natsSettings" -}}
{{- $root := index . 0 -}}
{{- $user := index . 1 -}}
servers:
  {{- include "posthouse.natsServers" $root | trim | nindent 2 }}
user: {{ if $root.Values.nats.external.enabled }}{{ index $root.Values.nats.external.users $user }}{{ else }}{{ $user }}{{ end }}
passwordFile: /etc/posthouse/nats-password/{{ $user }}
{{- if include "posthouse.clientTlsSecret" $root }}
tls:
  caFile: /etc/posthouse/nats-tls/ca.crt
  {{- if or (not $root.Values.nats.external.enabled) $root.Values.nats.external.clientCertificate }}
  certFile: /etc/posthouse/nats-tls/tls.crt
  keyFile: /etc/posthouse/nats-tls/tls.key
  {{- end }}
{{- end }}
{{- end -}}

{{/* As an address with a port wants it. */}}
{{- define "posthouse.listen" -}}
{{- ternary "[::]" .Values.listenAddress (eq .Values.listenAddress "::") -}}
{{- end -}}
