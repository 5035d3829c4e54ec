{{/* The Deployment of one gRPC service and what stands around it.
     dict root, component, image, module, owner, env (list of the parts above, rendered), volumes, mounts, ports, strategy,
     usesKafka */}}

{{- define "mgrd.deployment" -}}
{{- $values := index .root.Values .component -}}
{{- $autoscaled := and (hasKey $values "autoscaling") (dig "autoscaling" "enabled" false $values) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "mgrd.name" . }}
  labels: {{- include "mgrd.labels" . | nindent 4 }}
spec:
  {{- if not $autoscaled }}
  replicas: {{ dig "replicas" 1 $values }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy: {{ .strategy | default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 1 "maxUnavailable" 0)) | toJson }}
  selector:
    matchLabels: {{- include "mgrd.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "mgrd.labels" . | nindent 8 }}
    spec:
      {{- include "mgrd.pod" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ add $values.drainSeconds 20 }}
      {{- include "mgrd.placement" $values | nindent 6 }}
      {{- include "mgrd.spread" . | nindent 6 }}
      containers:
        - name: {{ .component }}
          image: {{ include "mgrd.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: [{{ .module }}]
          env:
            {{- include "mgrd.env.process" .root | nindent 12 }}
            {{- include "mgrd.env.server" .root | nindent 12 }}
            {{- include "mgrd.env.addresses" .root | nindent 12 }}
            - {name: MGRD_DRAIN_S, value: {{ $values.drainSeconds | quote }}}
            {{- .env | nindent 12 }}
            {{- include "mgrd.env.settings" $values.settings | nindent 12 }}
          ports:
            - {name: grpc, containerPort: 50051}
            - {name: metrics, containerPort: 9090}
            {{- if .root.Values.tls.existingSecret }}
            - {name: health, containerPort: {{ include "mgrd.healthPort" .root }}}
            {{- end }}
            {{- with .ports }}{{ . | nindent 12 }}{{ end }}
          {{- include "mgrd.probes" .root | nindent 10 }}
          {{- include "mgrd.leaveFirst" . | nindent 10 }}
          {{- include "mgrd.containerSecurity" . | nindent 10 }}
          resources: {{ toJson (.resources | default $values.resources) }}
          volumeMounts:
            - {name: auth, mountPath: /etc/mgrd/auth, readOnly: true}
            - {name: scratch, mountPath: /tmp}
            {{- with include "mgrd.mount.tls" .root | trim }}{{ . | nindent 12 }}{{ end }}
            {{- with and .usesKafka (include "mgrd.mount.kafka" .root | trim) }}{{ . | nindent 12 }}{{ end }}
            {{- with .mounts }}{{ . | nindent 12 }}{{ end }}
      volumes:
        {{- include "mgrd.volume.auth" . | nindent 8 }}
        - {name: scratch, emptyDir: {}}
        {{- with include "mgrd.volume.tls" .root | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with and .usesKafka (include "mgrd.volume.kafka" .root | trim) }}{{ . | nindent 8 }}{{ end }}
        {{- with .volumes }}{{ . | nindent 8 }}{{ end }}
{{- end -}}

{{/* dict root, component, ports (more than gRPC and metrics), headless */}}
{{- define "mgrd.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "mgrd.name" . }}
  labels: {{- include "mgrd.labels" . | nindent 4 }}
spec:
  selector: {{- include "mgrd.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 50051, targetPort: grpc, appProtocol: {{ ternary "https" "kubernetes.io/h2c" (ne .root.Values.tls.existingSecret "") }}}
    - {name: metrics, port: 9090, targetPort: metrics, appProtocol: http}
    {{- with .ports }}{{ . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "mgrd.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "mgrd.name" . }}
  labels: {{- include "mgrd.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{/* A node may be emptied one pod at a time; with a single replica it still can be. */}}
{{- define "mgrd.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "mgrd.name" . }}
  labels: {{- include "mgrd.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "mgrd.selector" . | nindent 6 }}
{{- end -}}

{{/* dict root, component, kind, metrics (rendered list) */}}
{{- define "mgrd.autoscaler" -}}
{{- $scaling := (index .root.Values .component).autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "mgrd.name" . }}
  labels: {{- include "mgrd.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: {{ .kind }}, name: {{ include "mgrd.name" . }}}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics: {{- .metrics | nindent 4 }}
{{- end -}}

{{- define "mgrd.cpuMetric" -}}
- type: Resource
  resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .cpuPercent }}}}
{{- end -}}
