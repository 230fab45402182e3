{{/* What the schema cannot say: values that contradict each other, and upgrades that would lose mail. Each ends with a sentence that names the value. */}}

{{- define "posthouse.validate" -}}
{{- $partitions := int .Values.queue.partitions -}}
{{- $replicas := include "posthouse.replicas" . | int -}}
{{- $servers := include "posthouse.natsServerCount" . | int -}}

{{- /* Names. */ -}}
{{- $fullname := include "posthouse.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "fullnameOverride: %q (or what the release's name makes of it) is no name for a Service: small letters, digits and hyphens, with a letter in front." $fullname) -}}
{{- end -}}
{{- if and (eq .Values.image.tag "latest") (not .Values.image.digest) -}}
{{- fail "image.tag: latest is another image every day, and a rollback would bring none back; name a version." -}}
{{- end -}}

{{- range list "edge" "delivery" -}}
{{- $values := index $.Values . -}}
{{- if and $values.autoscaling.enabled (gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) -}}
{{- fail (printf "%s.autoscaling.minReplicas: %d is more than maxReplicas (%d)." . (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and $values.podDisruptionBudget.enabled (has (toString $values.podDisruptionBudget.maxUnavailable) (list "0" "0%")) -}}
{{- fail (printf "%s.podDisruptionBudget.maxUnavailable: 0 would keep every node from being drained." .) -}}
{{- end -}}
{{- end -}}

{{- if and .Values.admin.podDisruptionBudget.enabled (has (toString .Values.admin.podDisruptionBudget.maxUnavailable) (list "0" "0%")) -}}
{{- fail "admin.podDisruptionBudget.maxUnavailable: 0 would keep every node from being drained." -}}
{{- end -}}

{{- /* Delivery nodes and partitions. */ -}}
{{- $idle := "would be more delivery nodes than queue.partitions (%d): each owns at least one partition, or has nothing to do. Raise queue.partitions or lower it." -}}
{{- if .Values.delivery.keda.enabled -}}
{{- if .Values.delivery.autoscaling.enabled -}}
{{- fail "delivery.keda.enabled: KEDA makes an autoscaler of its own; switch delivery.autoscaling.enabled off." -}}
{{- end -}}
{{- if not .Values.delivery.keda.serverAddress -}}
{{- fail "delivery.keda.serverAddress: KEDA asks Prometheus, whose address is missing." -}}
{{- end -}}
{{- if gt (int .Values.delivery.keda.minReplicas) (int .Values.delivery.keda.maxReplicas) -}}
{{- fail (printf "delivery.keda.minReplicas: %d is more than maxReplicas (%d)." (int .Values.delivery.keda.minReplicas) (int .Values.delivery.keda.maxReplicas)) -}}
{{- end -}}
{{- if gt (int .Values.delivery.keda.maxReplicas) $partitions -}}
{{- fail (printf (print "delivery.keda.maxReplicas: %d " $idle) (int .Values.delivery.keda.maxReplicas) $partitions) -}}
{{- end -}}
{{- else if .Values.delivery.autoscaling.enabled -}}
{{- if gt (int .Values.delivery.autoscaling.maxReplicas) $partitions -}}
{{- fail (printf (print "delivery.autoscaling.maxReplicas: %d " $idle) (int .Values.delivery.autoscaling.maxReplicas) $partitions) -}}
{{- end -}}
{{- else if gt (int .Values.delivery.replicas) $partitions -}}
{{- fail (printf (print "delivery.replicas: %d " $idle) (int .Values.delivery.replicas) $partitions) -}}
{{- end -}}

{{- /* Copies and servers. */ -}}
{{- if gt $replicas $servers -}}
{{- fail (printf "queue.replicas: %d copies need as many NATS servers, and there are %d (nats.replicas, or nats.external.serverCount)." $replicas $servers) -}}
{{- end -}}
{{- if has $replicas (list 2 4) -}}
{{- fail (printf "queue.replicas: %d copies survive no more than %d do, and cost more; use 1, 3 or 5." $replicas (sub $replicas 1)) -}}
{{- end -}}
{{- if .Values.nats.external.enabled -}}
{{- if not .Values.nats.external.servers -}}
{{- fail "nats.external.servers: name the NATS servers, each as host:port." -}}
{{- end -}}
{{- if .Values.nats.encryption.enabled -}}
{{- fail "nats.encryption.enabled: NATS servers that exist (nats.external) encrypt as they are set up." -}}
{{- end -}}
{{- if not .Values.nats.usersExistingSecret -}}
{{- fail "nats.usersExistingSecret: NATS servers that exist have passwords that exist; name the Secret with edge, delivery, admin and cli." -}}
{{- end -}}
{{- else -}}
{{- $room := include "posthouse.maxFileStore" . | int64 -}}
{{- $volume := include "posthouse.mebibytes" .Values.nats.persistence.size | int64 -}}
{{- if gt $room (div (mul 95 $volume) 100) -}}
{{- fail (printf "nats.maxFileStore: %d MiB leave less than 5 %% of the volume (nats.persistence.size, %s) free; a full disk stops all servers alike." $room .Values.nats.persistence.size) -}}
{{- end -}}
{{- if gt (include "posthouse.mebibytes" (include "posthouse.storage" .) | int64) $room -}}
{{- fail (printf "queue.storage: %s do not fit nats.maxFileStore (%d MiB)." (include "posthouse.storage" .) $room) -}}
{{- end -}}
{{- if and .Values.nats.podDisruptionBudget.enabled (gt $servers 1) -}}
{{- $away := toString .Values.nats.podDisruptionBudget.maxUnavailable -}}
{{- $count := ternary (div (add (mul $servers (trimSuffix "%" $away | int)) 99) 100) (int $away) (hasSuffix "%" $away) -}}
{{- if or (lt (int $count) 1) (gt (int $count) (div (sub $servers 1) 2 | int)) -}}
{{- fail (printf "nats.podDisruptionBudget.maxUnavailable: %s of %d servers: 0 keeps every node from being drained, and more than %d stop the queue." $away $servers (div (sub $servers 1) 2)) -}}
{{- end -}}
{{- end -}}
{{- $least := mul 32 $partitions -}}
{{- if lt (include "posthouse.mebibytes" (include "posthouse.storage" .) | int64) $least -}}
{{- fail (printf "queue.storage: %s are too few for %d partitions, at least %d MiB; raise it or nats.persistence.size." (include "posthouse.storage" .) $partitions $least) -}}
{{- end -}}
{{- end -}}

{{- /* Where mail is taken. */ -}}
{{- $listeners := .Values.edge.listeners -}}
{{- if not (or $listeners.submission.enabled $listeners.submissions.enabled $listeners.relay.enabled) -}}
{{- fail "edge.listeners: all are off, so no mail could be taken." -}}
{{- end -}}
{{- if and $listeners.relay.enabled (not $listeners.relay.networks) -}}
{{- fail "edge.listeners.relay.networks: say which networks may send without a log-in." -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $role := list "submission" "submissions" "relay" -}}
{{- $listener := index $listeners $role -}}
{{- if $listener.enabled -}}
{{- $port := toString $listener.port -}}
{{- if hasKey $seen $port -}}
{{- fail (printf "edge.listeners.%s.port: %s is the port of %s, too." $role $port (get $seen $port)) -}}
{{- end -}}
{{- $_ := set $seen $port $role -}}
{{- if and $listener.nodePort (eq $.Values.edge.service.type "ClusterIP") -}}
{{- fail (printf "edge.listeners.%s.nodePort: a Service of type ClusterIP (edge.service.type) has no ports of the nodes." $role) -}}
{{- end -}}
{{- range $listener.proxyFrom -}}
{{- if hasSuffix "/0" . -}}
{{- fail (printf "edge.listeners.%s.proxyFrom: %s is everybody, who could then claim any address; name the load balancers." $role .) -}}
{{- end -}}
{{- if and (eq $role "relay") (has . $listener.networks) -}}
{{- fail (printf "edge.listeners.relay.networks: %s is in proxyFrom, whose own addresses are never served." .) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $role "relay") (not $listener.allowClusterNetworks) (not $listener.proxyFrom) -}}
{{- range $listener.networks -}}
{{- if hasSuffix "/0" . -}}
{{- fail (printf "edge.listeners.relay.networks: %s is everybody; list the networks that may send without a log-in." .) -}}
{{- end -}}
{{- if has . $.Values.cluster.networks -}}
{{- fail (printf "edge.listeners.relay.networks: %s is of the cluster (cluster.networks), behind whose addresses anybody may hide; see allowClusterNetworks." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.edge.users .Values.edge.usersExistingSecret -}}
{{- fail "edge.users: goes not with edge.usersExistingSecret; put all users into one of them." -}}
{{- end -}}
{{- $names := dict "helm-test" true -}}
{{- range .Values.edge.users -}}
{{- if not .existingSecret -}}
{{- if .key -}}
{{- fail (printf "edge.users: the key of %q means nothing without existingSecret." .name) -}}
{{- end -}}
{{- if contains "@" .name -}}
{{- fail (printf "edge.users: %q cannot be the key of a Secret, where its password would be made; put one into a Secret and name it in existingSecret." .name) -}}
{{- end -}}
{{- end -}}
{{- if eq .name "users.yaml" -}}
{{- fail "edge.users: \"users.yaml\" is the name of the file beside which the passwords lie; choose another one." -}}
{{- end -}}
{{- if hasKey $names .name -}}
{{- fail (printf "edge.users: the name %q is there twice (helm-test is the chart's own)." .name) -}}
{{- end -}}
{{- $_ := set $names .name true -}}
{{- end -}}
{{- if and .Values.edge.tls.certManager.enabled .Values.edge.tls.existingSecret -}}
{{- fail "edge.tls.existingSecret: goes not with edge.tls.certManager.enabled; use one of them." -}}
{{- end -}}
{{- if .Values.edge.tls.certManager.enabled -}}
{{- if not .Values.hostname -}}
{{- fail "hostname: cert-manager needs a name that clients use for the certificate of the edges." -}}
{{- end -}}
{{- if not .Values.edge.tls.certManager.issuerRef.name -}}
{{- fail "edge.tls.certManager.issuerRef.name: say which issuer signs the certificate of the edges." -}}
{{- end -}}
{{- end -}}
{{- if ge (int .Values.edge.drain.notReadySeconds) (int .Values.edge.drain.deadlineSeconds) -}}
{{- fail "edge.drain.notReadySeconds: the deadline (edge.drain.deadlineSeconds) begins with the stop, so it must be longer." -}}
{{- end -}}
{{- if and .Values.internalTls.certManager.enabled (or .Values.internalTls.existingSecrets.nats .Values.internalTls.existingSecrets.client) -}}
{{- fail "internalTls.existingSecrets: goes not with internalTls.certManager.enabled; use one of them." -}}
{{- end -}}
{{- if ne (empty .Values.internalTls.existingSecrets.nats) (empty .Values.internalTls.existingSecrets.client) -}}
{{- fail "internalTls.existingSecrets: name both or none: one authority must have signed both certificates." -}}
{{- end -}}

{{- /* Where mail goes. */ -}}
{{- $egress := default dict .Values.delivery.settings.egress -}}
{{- if .Values.delivery.socksPasswordSecret -}}
{{- if not $egress.socks -}}
{{- fail "delivery.socksPasswordSecret: means nothing without delivery.settings.egress.socks." -}}
{{- end -}}
{{- if not $egress.socksUser -}}
{{- fail "delivery.socksPasswordSecret: means nothing without delivery.settings.egress.socksUser." -}}
{{- end -}}
{{- else if $egress.socksUser -}}
{{- fail "delivery.socksPasswordSecret: delivery.settings.egress.socksUser needs a password; name the Secret." -}}
{{- end -}}
{{- if include "posthouse.hasTestUser" . -}}
{{- range (default dict .Values.delivery.settings.route).domains -}}
{{- if eq .domain (include "posthouse.testDomain" $) -}}
{{- fail (printf "delivery.settings.route.domains: %s is the domain of the test (test.enabled)." .domain) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- include "posthouse.validateUpgrade" . -}}
{{- end -}}

{{/* Compares with what runs. Without access to the cluster (helm template) there is nothing to compare with. */}}
{{- define "posthouse.validateUpgrade" -}}
{{- $set := lookup "apps/v1" "StatefulSet" .Release.Namespace (include "posthouse.natsName" .) -}}
{{- if $set -}}
{{- $now := int $set.spec.replicas -}}
{{- $wanted := int .Values.nats.replicas -}}
{{- if .Values.nats.external.enabled -}}
{{- fail "nats.external.enabled: this release has NATS servers of its own, whose queue would be left behind. Drain it and uninstall first, or move it (docs/disaster.md)." -}}
{{- end -}}
{{- if and (eq $now 1) (gt $wanted 1) -}}
{{- fail (printf "nats.replicas: a single server cannot become one of %d: as a member of a cluster it would delete the streams it has. Back them up and restore them (docs/disaster.md, \"From one server to three\")." $wanted) -}}
{{- end -}}
{{- if lt $wanted $now -}}
{{- fail (printf "nats.replicas: %d servers cannot become %d by taking some away: their copies would be gone. Move them off first (docs/disaster.md, \"Fewer servers\")." $now $wanted) -}}
{{- end -}}
{{- $claim := (index $set.spec.volumeClaimTemplates 0).spec.resources.requests.storage -}}
{{- if ne $claim .Values.nats.persistence.size -}}
{{- fail (printf "nats.persistence.size: the claims of a StatefulSet cannot be changed (%s now). Grow the volumes as docs/kubernetes.md says (\"A larger queue\"), then set this." $claim) -}}
{{- end -}}
{{- end -}}
{{- $config := lookup "v1" "ConfigMap" .Release.Namespace (printf "%s-delivery" (include "posthouse.fullname" .)) -}}
{{- if $config -}}
{{- $now := (get $config.data "delivery.yaml" | fromYaml).queue -}}
{{- if lt (int .Values.queue.partitions) (int $now.partitions) -}}
{{- fail (printf "queue.partitions: there are %d, and partitions can only be added." (int $now.partitions)) -}}
{{- end -}}
{{- if lt (include "posthouse.replicas" . | int) (int $now.replicas) -}}
{{- fail (printf "queue.replicas: every message has %d copies, and copies are only added here." (int $now.replicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
