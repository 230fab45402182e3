{{/* The settings of the edges, as YAML. */}}

{{/* Ports inside the pods, by listener. */}}
{{- define "posthouse.edgePort" -}}
{{- get (dict "submission" "2587" "submissions" "2465" "relay" "2525") . -}}
{{- end -}}

{{- define "posthouse.edgeListeners" -}}
{{- range $role := list "submission" "submissions" "relay" }}
{{- $listener := index $.Values.edge.listeners $role }}
{{- if $listener.enabled }}
- role: {{ $role }}
  host: '{{ $.Values.listenAddress }}'
  port: {{ include "posthouse.edgePort" $role }}
  bareNewlines: {{ $listener.bareNewlines }}
  {{- with $listener.proxyFrom }}
  proxyFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq $role "relay" }}
  networks:
    {{- toYaml $listener.networks | nindent 4 }}
  {{- if $listener.allowClusterNetworks }}
  allowClusterNetworks: true
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Pod ranges and addresses of the nodes, from the API server; nothing where there is none (helm template). */}}
{{- define "posthouse.clusterNetworks" -}}
{{- $networks := .Values.cluster.networks -}}
{{- if .Values.cluster.detect -}}
{{- $nodes := lookup "v1" "Node" "" "" -}}
{{- range ($nodes | default dict).items -}}
{{- range .spec.podCIDRs -}}
{{- $networks = append $networks . -}}
{{- end -}}
{{- range .status.addresses -}}
{{- if has .type (list "InternalIP" "ExternalIP") -}}
{{- $networks = append $networks (printf "%s/%s" .address (ternary "128" "32" (contains ":" .address))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml ($networks | uniq | sortAlpha) -}}
{{- end -}}

{{- define "posthouse.needsTls" -}}
{{- if or .Values.edge.listeners.submission.enabled .Values.edge.listeners.submissions.enabled -}}true{{- end -}}
{{- end -}}

{{- define "posthouse.edgeSettings" -}}
{{- $ours := include "posthouse.commonSettings" (list . "edge" .Values.edge .Values.edge.drain.notReadySeconds) | fromYaml -}}
{{- $_ := set $ours "listeners" (include "posthouse.edgeListeners" . | fromYamlArray) -}}
{{- $_ := set $ours "cluster" (dict "networks" (include "posthouse.clusterNetworks" . | fromYamlArray)) -}}
{{- $theirs := deepCopy .Values.edge.settings -}}
{{- if include "posthouse.needsTls" . -}}
{{- $_ := set $ours "tls" (dict "certFile" "/etc/posthouse/smtp-tls/tls.crt" "keyFile" "/etc/posthouse/smtp-tls/tls.key") -}}
{{- $_ := set $ours "usersFile" "/etc/posthouse/users/users.yaml" -}}
{{- end -}}
{{- toYaml (mergeOverwrite $theirs $ours) -}}
{{- end -}}

{{/* The users file; passwords are files beside it, each the name of its user. */}}
{{- define "posthouse.usersFile" -}}
users:
{{- range .Values.edge.users }}
  - name: {{ .name | quote }}
    passwordFile: {{ .name | quote }}
    addresses:
      {{- toYaml .addresses | nindent 6 }}
{{- end }}
{{- if include "posthouse.hasTestUser" . }}
  - name: helm-test
    passwordFile: helm-test
    addresses: ['helm-test@{{ include "posthouse.testDomain" . }}']
{{- end }}
{{- if not (or .Values.edge.users (include "posthouse.hasTestUser" .)) }} []
{{- end }}
{{- end -}}
