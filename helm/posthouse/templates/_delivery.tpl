{{/* The settings of the delivery nodes and of the command line in their pods, as YAML. */}}

{{- define "posthouse.deliverySettings" -}}
{{- $ours := include "posthouse.commonSettings" (list . "delivery" .Values.delivery 0) | fromYaml -}}
{{- $theirs := deepCopy .Values.delivery.settings -}}
{{- if .Values.delivery.socksPasswordSecret -}}
{{- $_ := set $ours "egress" (dict "socksPasswordFile" "/etc/posthouse/socks/password") -}}
{{- end -}}
{{- $all := mergeOverwrite $theirs $ours -}}
{{- if include "posthouse.hasTestUser" . -}}
{{- $route := default dict $all.route -}}
{{- $host := printf "%s-test.%s.svc.%s:2525" (include "posthouse.fullname" .) .Release.Namespace .Values.clusterDomain -}}
{{- $ofTest := dict "domain" (include "posthouse.testDomain" .) "hosts" (list $host) -}}
{{- $_ := set $route "domains" (append (default list $route.domains) $ofTest) -}}
{{- $_ := set $all "route" $route -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* Settings of `posthouse queue` in the pods. */}}
{{- define "posthouse.cliSettings" -}}
nats:
  {{- include "posthouse.natsSettings" (list . "cli") | nindent 2 }}
{{- end -}}

{{/* Ports that delivery nodes connect to, as a list in YAML. */}}
{{- define "posthouse.deliveryPorts" -}}
{{- $settings := include "posthouse.deliverySettings" . | fromYaml -}}
{{- $route := default dict $settings.route -}}
{{- $ports := list (default 25 $route.port | int) -}}
{{- $hosts := concat (default list $route.smarthosts) (default list (default dict $settings.egress).socks) -}}
{{- range $route.domains -}}
{{- $hosts = concat $hosts .hosts -}}
{{- end -}}
{{- range $hosts -}}
{{- $ports = append $ports (regexFind "[0-9]+$" . | int) -}}
{{- end -}}
{{- range .Values.networkPolicy.deliveryPorts -}}
{{- $ports = append $ports (int .) -}}
{{- end -}}
{{- range $ports | uniq }}
- {port: {{ . }}, protocol: TCP}
{{- end -}}
{{- end -}}
