{{/* The name of all objects, and of the label by which pods are found. The longest suffix has 16 characters. */}}
{{- define "jobsmgr.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "jobsmgr" .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-jobsmgr" (.Release.Name | trunc 39 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "jobsmgr.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "jobsmgr.fullname" .) -}}
{{- end -}}

{{- define "jobsmgr.priorityClassName" -}}
{{- if .Values.priorityClass.name -}}
{{- .Values.priorityClass.name -}}
{{- else if .Values.priorityClass.create -}}
{{- include "jobsmgr.fullname" . -}}
{{- end -}}
{{- end -}}

{{- define "jobsmgr.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "jobsmgr.args" -}}
{{- $options := list -}}
{{- with .Values.logLevel }}{{ $options = list "--log-level" . }}{{ end -}}
{{- if .Values.metrics.workflowLabels }}{{ $options = append $options "--metrics-workflow-labels" }}{{ end -}}
{{- concat (list "operator") $options .Values.extraArgs | toYaml -}}
{{- end -}}

{{- define "jobsmgr.env" -}}
{{- $env := .Values.env -}}
{{- if .Values.plugins.image }}{{ $env = prepend $env (dict "name" "PYTHONPATH" "value" "/plugins") }}{{ end -}}
{{- if .Values.metrics.auth.enabled }}{{ $env = prepend $env (dict "name" "JOBSMGR_METRICS_AUTH" "value" "true") }}{{ end -}}
{{- if .Values.metrics.tls.secretName }}
{{- $env = prepend $env (dict "name" "JOBSMGR_HTTP_TLS_KEY" "value" "/tls/tls.key") -}}
{{- $env = prepend $env (dict "name" "JOBSMGR_HTTP_TLS_CERT" "value" "/tls/tls.crt") -}}
{{- end -}}
{{- with .Values.namespaces }}{{ $env = prepend $env (dict "name" "JOBSMGR_NAMESPACES" "value" (join " " .)) }}{{ end -}}
{{- $env | toYaml -}}
{{- end -}}
