{{/* The name of the chart. */}}
{{- define "mdm-reflex.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of the resources, short enough for the suffix "-receiver". */}}
{{- define "mdm-reflex.fullname" -}}
{{- $name := include "mdm-reflex.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The selector labels of a deployment. They must not change in upgrades. Takes a dict of root and role. */}}
{{- define "mdm-reflex.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mdm-reflex.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* The labels of a resource. Takes a dict of root and, for resources of one role, role. */}}
{{- define "mdm-reflex.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "mdm-reflex.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mdm-reflex
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "mdm-reflex.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mdm-reflex.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mdm-reflex.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The config map with the rules. */}}
{{- define "mdm-reflex.rulesName" -}}
{{- default (printf "%s-rules" (include "mdm-reflex.fullname" .)) .Values.existingRulesConfigMap -}}
{{- end -}}

{{/* The content of the Secret of the chart, as JSON: only values that no Secret of the operator holds. */}}
{{- define "mdm-reflex.secretValues" -}}
{{- $values := dict -}}
{{- if not .Values.redis.existingSecret -}}
{{- $_ := set $values "REDIS_URL" .Values.redis.url -}}
{{- end -}}
{{- if not .Values.existingSecret -}}
{{- $_ := set $values "ADMIN_TOKEN" .Values.admin.token -}}
{{- if not .Values.accounts.existingSecret -}}
{{- $_ := set $values "WEBHOOK_TOKEN" .Values.webhook.token -}}
{{- $_ := set $values "SIMPLEMDM_API_KEY" .Values.simplemdm.apiKey -}}
{{- end -}}
{{- end -}}
{{- toJson $values -}}
{{- end -}}

{{/* A hash of the secrets of a role, so that a change restarts its pods. Takes a dict of root and names. */}}
{{- define "mdm-reflex.secretChecksum" -}}
{{- $values := include "mdm-reflex.secretValues" .root | fromJson -}}
{{- $used := dict -}}
{{- range .names -}}
{{- if hasKey $values . -}}
{{- $_ := set $used . (get $values .) -}}
{{- end -}}
{{- end -}}
{{- toJson $used | sha256sum -}}
{{- end -}}

{{/* One environment variable from its Secret. Takes a dict of root and name. */}}
{{- define "mdm-reflex.secretEnv" -}}
{{- $own := include "mdm-reflex.fullname" .root -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      {{- if eq .name "REDIS_URL" }}
      name: {{ default $own .root.Values.redis.existingSecret }}
      key: {{ if .root.Values.redis.existingSecret }}{{ .root.Values.redis.existingSecretKey }}{{ else }}REDIS_URL{{ end }}
      {{- else }}
      name: {{ default $own .root.Values.existingSecret }}
      key: {{ .name }}
      {{- end }}
{{- end -}}

{{/* The environment variables of both roles. */}}
{{- define "mdm-reflex.commonEnv" -}}
- name: NODE_ENV
  value: production
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: "8080"
{{- range $name, $value := .Values.settings }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ ternary (int64 $value) $value (kindIs "float64" $value) | toString | quote }}
{{- end }}
{{- end }}
{{ include "mdm-reflex.secretEnv" (dict "root" . "name" "REDIS_URL") }}
{{- if .Values.accounts.existingSecret }}
- name: ACCOUNTS_FILE
  value: /accounts/accounts.yaml
{{- end }}
{{- end -}}

{{/* The port and the probes, the same for both roles. */}}
{{- define "mdm-reflex.portAndProbes" -}}
ports:
  - name: http
    containerPort: 8080
    protocol: TCP
startupProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 30
livenessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* The first part of a pod spec, the same for both roles. Takes a dict of root, role and values. */}}
{{- define "mdm-reflex.podHead" -}}
serviceAccountName: {{ include "mdm-reflex.serviceAccountName" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "mdm-reflex.selectorLabels" . | nindent 8 }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Fails with all missing and invalid values in one message, without secrets. */}}
{{- define "mdm-reflex.validate" -}}
{{- $wrong := list -}}
{{- $v := .Values -}}
{{- if not $v.image.repository -}}
{{- $wrong = append $wrong "image.repository: not set; expected the repository of the mdm-reflex image, such as registry.example.org/mdm-reflex" -}}
{{- end -}}
{{- if and $v.redis.url $v.redis.existingSecret -}}
{{- $wrong = append $wrong "redis: both redis.url and redis.existingSecret are set; expected one of them" -}}
{{- else if not (or $v.redis.url $v.redis.existingSecret) -}}
{{- $wrong = append $wrong "redis.url: not set; the chart does not install Redis: expected a redis://, redis+cluster:// or redis+sentinel:// URL (rediss… for TLS), or the name of a Secret that holds the URL in redis.existingSecret" -}}
{{- else if and $v.redis.url (not (regexMatch "^rediss?(\\+cluster|\\+sentinel)?://[^/]" $v.redis.url)) -}}
{{- $wrong = append $wrong "redis.url: expected a URL that begins with redis://, redis+cluster:// or redis+sentinel:// (rediss… for TLS)" -}}
{{- end -}}
{{- $needed := dict "admin.token" $v.admin.token -}}
{{- if not $v.accounts.existingSecret -}}
{{- $_ := set $needed "webhook.token" $v.webhook.token -}}
{{- $_ := set $needed "simplemdm.apiKey" $v.simplemdm.apiKey -}}
{{- end -}}
{{- range $name, $value := $needed -}}
{{- if and $v.existingSecret $value -}}
{{- $wrong = append $wrong (printf "%s: set together with existingSecret; expected one of them" $name) -}}
{{- else if not (or $v.existingSecret $value) -}}
{{- $wrong = append $wrong (printf "%s: not set; set it, or name your Secret in existingSecret" $name) -}}
{{- end -}}
{{- end -}}
{{- range $token := splitList "," $v.webhook.token -}}
{{- if and $token (lt (len (trim $token)) 16) -}}
{{- $wrong = append $wrong "webhook.token: expected at least 16 characters in each token (generate one with openssl rand -hex 24)" -}}
{{- end -}}
{{- end -}}
{{- if and $v.admin.token (lt (len $v.admin.token) 16) -}}
{{- $wrong = append $wrong "admin.token: expected at least 16 characters (generate one with openssl rand -hex 24)" -}}
{{- end -}}
{{- if and $v.rules $v.existingRulesConfigMap -}}
{{- $wrong = append $wrong "rules: both rules and existingRulesConfigMap are set; expected one of them" -}}
{{- else if not (or $v.rules $v.existingRulesConfigMap) -}}
{{- $wrong = append $wrong "rules: no rule file; set one with --set-file 'rules.fleet\\.yaml=rules/fleet.yaml', or name your config map in existingRulesConfigMap" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
{{- $wrong = append $wrong "ingress.host: not set; expected the host name that SimpleMDM calls" -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nmdm-reflex cannot be installed:\n  %s\n" (join "\n  " (uniq $wrong))) -}}
{{- end -}}
{{- end -}}
