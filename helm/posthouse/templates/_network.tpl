{{/* Rules that several NetworkPolicies have. */}}

{{- define "posthouse.metricsIngress" -}}
- ports:
    - {port: http, protocol: TCP}
  from:
    {{- if .Values.networkPolicy.metricsFrom }}
    {{- toYaml .Values.networkPolicy.metricsFrom | nindent 4 }}
    {{- else }}
    - namespaceSelector: {}
    {{- end }}
{{- end -}}

{{- define "posthouse.dnsEgress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  {{- with .Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "posthouse.natsEgress" -}}
{{- if .Values.nats.external.enabled }}
- ports:
    {{- range .Values.nats.external.servers }}
    - {port: {{ regexFind "[0-9]+$" . }}, protocol: TCP}
    {{- end }}
{{- else }}
- ports:
    - {port: 4222, protocol: TCP}
  to:
    - podSelector:
        matchLabels:
          {{- include "posthouse.selector" (list . "nats") | nindent 10 }}
{{- end }}
{{- end -}}
