{{/* Names and labels of all objects. */}}

{{- define "posthouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that every suffix fits into the 63 characters of a DNS label. */}}
{{- define "posthouse.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "posthouse.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes (list root component). These never change: a Deployment's selector cannot. */}}
{{- define "posthouse.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "posthouse.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Takes (list root component). */}}
{{- define "posthouse.labels" -}}
{{- $root := index . 0 -}}
{{- $ours := dict "app.kubernetes.io/version" $root.Chart.AppVersion "app.kubernetes.io/part-of" "posthouse" "app.kubernetes.io/managed-by" $root.Release.Service "helm.sh/chart" (printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_")) -}}
{{- $fixed := include "posthouse.selector" . | fromYaml -}}
{{- toYaml (mergeOverwrite (deepCopy $root.Values.commonLabels) $ours $fixed) -}}
{{- end -}}

{{/* The head of an object. Takes (list root component name) or (list root component name annotations) or (list root component name annotations labels). */}}
{{- define "posthouse.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- $labels := include "posthouse.labels" (list $root (index . 1)) | fromYaml -}}
  {{- if gt (len .) 4 -}}
  {{- $labels = mergeOverwrite (deepCopy (index . 4)) $labels -}}
  {{- end -}}
  {{- toYaml $labels | nindent 2 }}
{{- $annotations := deepCopy $root.Values.commonAnnotations -}}
{{- if gt (len .) 3 -}}
{{- $annotations = mergeOverwrite $annotations (index . 3) -}}
{{- end -}}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "posthouse.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "posthouse.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "posthouse.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "posthouse.hostname" -}}
{{- default (printf "%s.%s.svc.%s" (include "posthouse.fullname" .) .Release.Namespace .Values.clusterDomain) .Values.hostname -}}
{{- end -}}

{{/* Domain of the mail that `helm test` sends; nobody can have it (RFC 2606). */}}
{{- define "posthouse.testDomain" -}}helm-test.invalid{{- end -}}
