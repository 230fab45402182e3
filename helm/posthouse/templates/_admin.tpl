{{/* The settings of the admin nodes, as YAML. */}}

{{- define "posthouse.adminSettings" -}}
{{- $ours := include "posthouse.commonSettings" (list . "admin" .Values.admin 0) | fromYaml -}}
{{- $_ := set $ours "data" (dict "folder" "/var/lib/posthouse") -}}
{{- /* What is left is for the write-ahead log, and for what webhooks have not got. */ -}}
{{- $_ := set $ours "events" (dict "room" (printf "%dMiB" (div (mul 70 (include "posthouse.mebibytes" .Values.admin.dataSize | int64)) 100))) -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.admin.settings) $ours) -}}
{{- end -}}

{{/* Ports that admin nodes connect to for webhooks, as a list in YAML; empty: none. */}}
{{- define "posthouse.webhookPorts" -}}
{{- $ports := list -}}
{{- range default list .Values.admin.settings.webhooks -}}
{{- $host := (urlParse .url).host -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" | default (ternary "443" "80" (hasPrefix "https:" (lower .url))) -}}
{{- $ports = append $ports (int $port) -}}
{{- end -}}
{{- range $ports | uniq }}
- {port: {{ . }}, protocol: TCP}
{{- end -}}
{{- end -}}
