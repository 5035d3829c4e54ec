{{/* What every pod of the release has in common. */}}

{{/* dict root, component → the pod's security and identity. enableServiceLinks would inject MGRD_REGISTRY_PORT and the
     like for our own Services, which settings rightly refuse as unknown options. */}}
{{- define "mgrd.pod" -}}
serviceAccountName: {{ include "mgrd.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "mgrd.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* values of a component → where its pods run */}}
{{- define "mgrd.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* dict root, component → replicas apart from one another, where the cluster has the nodes */}}
{{- define "mgrd.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ fromYaml (include "mgrd.selector" .) | toJson }}
{{- end -}}

{{/* Name, then value or source, of every variable all our processes read. */}}
{{- define "mgrd.env.process" -}}
- {name: HOME, value: /tmp}
- {name: PYTHONUNBUFFERED, value: "1"}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: MALLOC_ARENA_MAX, value: "2"}
- {name: MGRD_LOG_LEVEL, value: {{ .Values.telemetry.logLevel | quote }}}
{{- with .Values.telemetry.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end -}}

{{- define "mgrd.env.addresses" -}}
{{- $root := . -}}
{{- range list "features" "orchestrator" "registry" "inference" }}
- {name: MGRD_{{ upper . }}_ADDR, value: {{ include "mgrd.address" (dict "root" $root "component" .) | quote }}}
{{- end }}
{{- end -}}

{{- define "mgrd.env.server" -}}
- {name: MGRD_LISTEN, value: "0.0.0.0:50051"}
- {name: MGRD_METRICS_LISTEN, value: "0.0.0.0:9090"}
- {name: MGRD_TOKENS_FILE, value: /etc/mgrd/auth/table.json}
- {name: MGRD_TOKEN_FILE, value: /etc/mgrd/auth/token}
{{- if .Values.tls.existingSecret }}
- {name: MGRD_HEALTH_LISTEN, value: "0.0.0.0:{{ include "mgrd.healthPort" . }}"}
{{- end }}
{{- include "mgrd.env.tls" . }}
{{- end -}}

{{/* dict root, database (a key of the Secret) */}}
{{- define "mgrd.env.database" -}}
- name: MGRD_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ include "mgrd.databaseSecret" .root }}, key: {{ .database }}}}
{{- end -}}

{{- define "mgrd.env.events" -}}
- {name: MGRD_EVENTS_URL, value: {{ printf "kafka://%s" (include "mgrd.kafka" .) | quote }}}
{{- include "mgrd.env.kafka" . }}
{{- end -}}

{{- define "mgrd.env.store" -}}
- {name: MGRD_STORE_URL, value: {{ include "mgrd.storeUrl" . | quote }}}
- {name: AWS_REGION, value: {{ .Values.store.region | quote }}}
{{- with include "mgrd.storeEndpoint" . }}
- {name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }}}
{{- end }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ include "mgrd.storeSecret" . }}, key: access-key-id}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ include "mgrd.storeSecret" . }}, key: secret-access-key}}
{{- end -}}

{{/* settings of a component → variables */}}
{{- define "mgrd.env.settings" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end -}}

{{/* dict root, owner → the token table and the owner's own token; nobody sees another's. */}}
{{- define "mgrd.volume.auth" -}}
- name: auth
  secret:
    secretName: {{ include "mgrd.tokensSecret" .root }}
    defaultMode: 0440
    items:
      - {key: table.json, path: table.json}
      - {key: {{ .owner }}.token, path: token}
{{- end -}}

{{/* root → probes. Liveness asks the port alone: health also says no while the database is away, and a restart would not help. */}}
{{- define "mgrd.probes" -}}
startupProbe: {grpc: {port: {{ include "mgrd.healthPort" . }}}, periodSeconds: 1, failureThreshold: 300}
readinessProbe: {grpc: {port: {{ include "mgrd.healthPort" . }}}, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3}
livenessProbe: {tcpSocket: {port: 50051}, periodSeconds: 10, failureThreshold: 6}
{{- end -}}

{{/* The pod leaves the Service first; new calls then go elsewhere while it drains. */}}
{{- define "mgrd.leaveFirst" -}}
lifecycle:
  preStop: {exec: {command: [python, -c, "import time; time.sleep(5)"]}}
{{- end -}}
