{{/* Names and labels. */}}

{{- define "mgrd.fullname" -}}
{{- if contains "mgrd" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-mgrd" (.Release.Name | trunc 34 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* dict root, component → the object's name */}}
{{- define "mgrd.name" -}}
{{- printf "%s-%s" (include "mgrd.fullname" .root) .component -}}
{{- end -}}

{{/* dict root, component → what selects the component's pods */}}
{{- define "mgrd.selector" -}}
app.kubernetes.io/name: mgrd
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "mgrd.labels" -}}
{{ include "mgrd.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* dict root, image (a key of .Values.images) → reference; a digest wins over the tag */}}
{{- define "mgrd.image" -}}
{{- $image := index .root.Values.images .image -}}
{{- $registry := .root.Values.image.registry -}}
{{- $path := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $path $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $path (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* root → Secret with the tokens; root → Secret with the databases' URLs; root → Secret with the store's keys */}}
{{- define "mgrd.tokensSecret" -}}
{{- .Values.auth.existingSecret | default (include "mgrd.name" (dict "root" . "component" "tokens")) -}}
{{- end -}}

{{- define "mgrd.databaseSecret" -}}
{{- if and .Values.bundled.enabled (not .Values.database.existingSecret) -}}
{{- include "mgrd.name" (dict "root" . "component" "database") -}}
{{- else -}}
{{- required "database.existingSecret is empty: name the Secret with the URLs orchestrator, registry and inference, or set bundled.enabled=true to try mgrd out" .Values.database.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "mgrd.storeSecret" -}}
{{- if .Values.bundled.enabled -}}
{{- include "mgrd.name" (dict "root" . "component" "store") -}}
{{- else -}}
{{- required "store.existingSecret is empty: name the Secret with access-key-id and secret-access-key, or set bundled.enabled=true to try mgrd out" .Values.store.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* dict root, component → host:port of its gRPC, by its full name: pipeline namespaces use it too */}}
{{- define "mgrd.address" -}}
{{- printf "%s.%s.svc:%d" (include "mgrd.name" .) .root.Release.Namespace 50051 -}}
{{- end -}}

{{- define "mgrd.kafka" -}}
{{- if .Values.bundled.enabled -}}
{{- if or .Values.kafka.tls.enabled .Values.kafka.sasl.mechanism -}}
{{- fail "kafka.tls and kafka.sasl are for your own brokers: the bundled one speaks plain text inside the cluster; set bundled.enabled=false and name kafka.bootstrap" -}}
{{- end -}}
{{- printf "%s.%s.svc:9092" (include "mgrd.name" (dict "root" . "component" "kafka")) .Release.Namespace -}}
{{- else -}}
{{- required "kafka.bootstrap is empty: name your brokers (host:port), or set bundled.enabled=true to try mgrd out" .Values.kafka.bootstrap -}}
{{- end -}}
{{- end -}}

{{- define "mgrd.storeUrl" -}}
{{- if .Values.bundled.enabled -}}
s3://{{ .Values.bundled.store.bucket }}
{{- else -}}
{{- required "store.url is empty: name your bucket (s3://bucket/prefix), or set bundled.enabled=true to try mgrd out" .Values.store.url -}}
{{- end -}}
{{- end -}}

{{- define "mgrd.storeEndpoint" -}}
{{- if .Values.bundled.enabled -}}
{{- printf "http://%s.%s.svc:7070" (include "mgrd.name" (dict "root" . "component" "store")) .Release.Namespace -}}
{{- else -}}
{{- .Values.store.endpoint -}}
{{- end -}}
{{- end -}}
