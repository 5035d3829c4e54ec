{{/* TLS of the services, and what Kafka wants to see. Variables, mounts and volumes come in threes: a pod takes all three. */}}

{{/* root → where health alone is asked: kubelets' probes know no certificates. */}}
{{- define "mgrd.healthPort" -}}
{{- ternary 50052 50051 (ne .Values.tls.existingSecret "") -}}
{{- end -}}

{{/* root, folder → whom to trust and, where services ask for it, how to show who calls */}}
{{- define "mgrd.tlsFiles" -}}
MGRD_TLS_CA: {{ .folder }}/ca.crt
{{- if .own }}
MGRD_TLS_CERT: {{ .folder }}/tls.crt
MGRD_TLS_KEY: {{ .folder }}/tls.key
{{- end }}
{{- end -}}

{{- define "mgrd.env.tls" -}}
{{- if .Values.tls.existingSecret }}
{{- range $name, $path := fromYaml (include "mgrd.tlsFiles" (dict "folder" "/etc/mgrd/tls" "own" true)) }}
- {name: {{ $name }}, value: {{ $path }}}
{{- end }}
- {name: MGRD_TLS_MUTUAL, value: {{ .Values.tls.mutual | quote }}}
{{- end }}
{{- end -}}

{{- define "mgrd.mount.tls" -}}
{{- if .Values.tls.existingSecret }}
- {name: tls, mountPath: /etc/mgrd/tls, readOnly: true}
{{- end }}
{{- end -}}

{{- define "mgrd.volume.tls" -}}
{{- with .Values.tls.existingSecret }}
- {name: tls, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- end -}}

{{- define "mgrd.env.kafka" -}}
{{- with .Values.kafka.tls }}
{{- if .enabled }}
- {name: MGRD_EVENTS_TLS, value: "true"}
{{- if .existingSecret }}
- {name: MGRD_EVENTS_CA, value: /etc/mgrd/kafka/ca.crt}
{{- if .mutual }}
- {name: MGRD_EVENTS_CERT, value: /etc/mgrd/kafka/tls.crt}
- {name: MGRD_EVENTS_KEY, value: /etc/mgrd/kafka/tls.key}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.kafka.sasl }}
{{- if .mechanism }}
{{- $secret := required "kafka.sasl.existingSecret is empty: name the Secret with username and password" .existingSecret }}
- {name: MGRD_EVENTS_SASL, value: {{ .mechanism }}}
- {name: MGRD_EVENTS_USERNAME, valueFrom: {secretKeyRef: {name: {{ $secret }}, key: username}}}
- {name: MGRD_EVENTS_PASSWORD, valueFrom: {secretKeyRef: {name: {{ $secret }}, key: password}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "mgrd.mount.kafka" -}}
{{- if and .Values.kafka.tls.enabled .Values.kafka.tls.existingSecret }}
- {name: kafka, mountPath: /etc/mgrd/kafka, readOnly: true}
{{- end }}
{{- end -}}

{{- define "mgrd.volume.kafka" -}}
{{- if and .Values.kafka.tls.enabled .Values.kafka.tls.existingSecret }}
- {name: kafka, secret: {secretName: {{ .Values.kafka.tls.existingSecret }}, defaultMode: 0440}}
{{- end }}
{{- end -}}
