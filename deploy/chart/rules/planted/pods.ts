// What the rules on pods and their containers must find.
import { extra } from '../sound.ts'
import { context, type Planted } from './bed.ts'

export const pods: Planted = {
  'restricted Pod Security': [
    ['hostNetwork', ({ pod }) => (pod.hostNetwork = true), /hostNetwork is on/],
    ['hostPID', ({ pod }) => (pod.hostPID = true), /hostPID is on/],
    ['hostIPC', ({ pod }) => (pod.hostIPC = true), /hostIPC is on/],
    ['hostPath', ({ pod }) => pod.volumes?.push({ name: 'root', hostPath: {} }), /volume root is a hostPath/],
    ['a pod that may be root', ({ pod }) => delete pod.securityContext?.runAsNonRoot, /container edge: runAsNonRoot/],
    ['user 0', ({ pod }) => ((pod.securityContext ??= {}).runAsUser = 0), /runAsUser 0/],
    ['user 0 of a container', ({ container }) => (context(container).runAsUser = 0), /container edge: .*runAsUser 0/],
    ['a container that is root', ({ container }) => (context(container).runAsNonRoot = false), /runAsNonRoot false/],
    ['no seccomp', ({ pod }) => delete pod.securityContext?.seccompProfile, /seccompProfile is not set/],
    [
      'seccomp off',
      ({ container }) => (context(container).seccompProfile = { type: 'Unconfined' }),
      /seccompProfile Unconfined/,
    ],
    ['AppArmor off', ({ pod }) => ((pod.securityContext ??= {}).appArmorProfile = { type: 'Unconfined' }), /appArmor/],
    [
      'an SELinux type',
      ({ container }) => (context(container).seLinuxOptions = { type: 'spc_t' }),
      /SELinux type spc_t/,
    ],
    ['an SELinux role', ({ container }) => (context(container).seLinuxOptions = { role: 'sysadm_r' }), /user or role/],
    ['a sysctl', ({ pod }) => ((pod.securityContext ??= {}).sysctls = [{ name: 'kernel.x', value: '1' }]), /kernel\.x/],
    ['privileged', ({ container }) => (context(container).privileged = true), /privileged is on/],
    ['escalation', ({ container }) => delete context(container).allowPrivilegeEscalation, /allowPrivilegeEscalation/],
    ['capabilities kept', ({ container }) => (context(container).capabilities = { drop: ['NET_RAW'] }), /lacks ALL/],
    ['no capabilities', ({ container }) => delete context(container).capabilities, /lacks ALL/],
    [
      'a capability',
      ({ container }) => (context(container).capabilities = { drop: ['ALL'], add: ['SYS_ADMIN'] }),
      /adds the capability SYS_ADMIN/,
    ],
    ['procMount', ({ container }) => (context(container).procMount = 'Unmasked'), /procMount/],
    ['a hostPort', ({ container }) => container.ports?.push({ containerPort: 25, hostPort: 25 }), /hostPort/],
    [
      'a probe of another host',
      ({ container }) => (container.livenessProbe = { tcpSocket: { port: 80, host: '10.0.0.1' } }),
      /livenessProbe names a host/,
    ],
    [
      'hostProcess',
      ({ container }) => (context(container).windowsOptions = { hostProcess: true }),
      /Windows hostProcess/,
    ],
    [
      'an init container',
      ({ pod }) => (pod.initContainers = [{ name: 'first', image: 'a:1' }]),
      /container first: allowPrivilegeEscalation/,
    ],
    [
      'a pod of a CronJob',
      ({ objects }) =>
        objects.push(
          extra('batch/v1', 'CronJob', 'nightly', {
            spec: { jobTemplate: { spec: { template: { spec: { hostPID: true, containers: [] } } } } },
          }),
        ),
      /CronJob\/nightly: hostPID/,
    ],
  ],
  'read-only root': [
    [
      'a root to write to',
      ({ container }) => delete context(container).readOnlyRootFilesystem,
      /readOnlyRootFilesystem/,
    ],
  ],
  'no token': [
    ['a token', ({ pod }) => delete pod.automountServiceAccountToken, /Deployment\/edge: automount/],
    [
      'a token of the account',
      ({ of }) => delete of('ServiceAccount', 'sound').automountServiceAccountToken,
      /Account\/s/,
    ],
    [
      'rights',
      ({ objects }) => objects.push(extra('rbac.authorization.k8s.io/v1', 'RoleBinding', 'all', {})),
      /RoleBinding\/all: nothing here asks/,
    ],
  ],
  resources: [
    ['no requests', ({ container }) => delete container.resources?.requests, /requests no cpu/],
    ['no memory', ({ container }) => delete container.resources?.requests?.['memory'], /requests no memory/],
    ['no limit', ({ container }) => delete container.resources?.limits, /no limit of memory/],
  ],
  probes: [
    ['no liveness', ({ container }) => delete container.livenessProbe, /edge has no livenessProbe/],
    ['no readiness', ({ container }) => delete container.readinessProbe, /edge has no readinessProbe/],
    [
      'a sidecar',
      ({ pod }) => (pod.initContainers = [{ name: 'beside', restartPolicy: 'Always' }]),
      /beside has no livenessProbe/,
    ],
  ],
  'pinned images': [
    ['latest', ({ container }) => (container.image = 'posthouse:latest'), /latest is another one/],
    ['no tag', ({ container }) => (container.image = 'registry.example:5000/posthouse'), /has no tag/],
    ['half a digest', ({ container }) => (container.image = 'posthouse@sha256:12'), /no whole digest/],
  ],
  'time to stop': [
    ['too little', ({ pod }) => (pod.terminationGracePeriodSeconds = 35), /has 35 s to stop, .* edge may take 35 s/],
    ['the default', ({ pod }) => delete pod.terminationGracePeriodSeconds, /has 30 s to stop/],
    [
      'a wait before',
      ({ container }) => (container.lifecycle = { preStop: { sleep: { seconds: 10 } } }),
      /edge may take 45 s/,
    ],
    [
      'a lame duck',
      ({ of }) => (of('ConfigMap', 'nats').data = { 'nats.conf': 'lame_duck_duration: "40s"\n' }),
      /StatefulSet\/nats: has 40 s to stop/,
    ],
  ],
}
