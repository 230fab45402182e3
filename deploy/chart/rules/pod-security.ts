// The restricted Pod Security Standard, control by control, as its admission plug-in looks at a pod. What is not set counts
// as wrong where the standard wants it set.
import type { Container, PodSpec, PodTemplate, Probe, Rendering, SecurityContext } from '../manifest.ts'
import { containersOf, nameOf, workloads } from '../manifest.ts'

/** Pods that the user has sent to the network of their nodes, as names of their objects ("Deployment/mail-posthouse-delivery"). */
export interface Exceptions {
  readonly hostNetwork?: readonly string[]
}

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const SELINUX_TYPES = ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']
const SECCOMP = ['RuntimeDefault', 'Localhost']
const APP_ARMOR = ['RuntimeDefault', 'Localhost']

/** Every pod passes the restricted standard. */
export function restrictedPodSecurity(rendering: Rendering, exceptions: Exceptions = {}): string[] {
  return workloads(rendering).flatMap(({ object, template }) => {
    const name = nameOf(object)
    const onHostNetwork = exceptions.hostNetwork?.includes(name) ?? false
    return ofTemplate(template, onHostNetwork).map((what) => `${name}: ${what}`)
  })
}

function ofTemplate(template: PodTemplate, onHostNetwork: boolean): string[] {
  const { spec } = template
  return [
    ...ofPod(spec, onHostNetwork),
    ...ofContext(spec.securityContext ?? {}).map((what) => `the pod's securityContext ${what}`),
    ...containersOf(template).flatMap((container) =>
      ofContainer(container, spec, onHostNetwork).map((what) => `container ${container.name}: ${what}`),
    ),
  ]
}

function ofPod(spec: PodSpec, onHostNetwork: boolean): string[] {
  const wrong: string[] = []
  if (spec.hostNetwork === true && !onHostNetwork) wrong.push('hostNetwork is on')
  if (spec.hostPID === true) wrong.push('hostPID is on')
  if (spec.hostIPC === true) wrong.push('hostIPC is on')
  for (const volume of spec.volumes ?? []) {
    const kinds = Object.keys(volume).filter((key) => key !== 'name')
    for (const kind of kinds.filter((each) => !VOLUMES.includes(each))) wrong.push(`volume ${volume.name} is a ${kind}`)
  }
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    if (!SYSCTLS.includes(name)) wrong.push(`sets the sysctl ${name}`)
  }
  return wrong
}

/** What holds for the context of a pod and of a container alike. */
function ofContext(context: SecurityContext): string[] {
  const wrong: string[] = []
  if (context.runAsUser === 0) wrong.push('has runAsUser 0')
  if (context.runAsNonRoot === false) wrong.push('has runAsNonRoot false')
  if (context.seccompProfile !== undefined && !SECCOMP.includes(context.seccompProfile.type))
    wrong.push(`has seccompProfile ${context.seccompProfile.type}`)
  if (context.appArmorProfile !== undefined && !APP_ARMOR.includes(context.appArmorProfile.type))
    wrong.push(`has appArmorProfile ${context.appArmorProfile.type}`)
  const seLinux = context.seLinuxOptions
  if (seLinux?.type !== undefined && !SELINUX_TYPES.includes(seLinux.type))
    wrong.push(`has the SELinux type ${seLinux.type}`)
  if (seLinux?.user !== undefined || seLinux?.role !== undefined) wrong.push('has an SELinux user or role')
  if (context.windowsOptions?.hostProcess === true) wrong.push('is a Windows hostProcess')
  return wrong
}

function ofContainer(container: Container, spec: PodSpec, onHostNetwork: boolean): string[] {
  const context = container.securityContext ?? {}
  const wrong = ofContext(context).map((what) => `securityContext ${what}`)
  if (context.privileged === true) wrong.push('privileged is on')
  if (context.allowPrivilegeEscalation !== false) wrong.push('allowPrivilegeEscalation is not false')
  if (!(context.capabilities?.drop ?? []).includes('ALL')) wrong.push('capabilities.drop lacks ALL')
  for (const added of context.capabilities?.add ?? []) {
    if (added !== 'NET_BIND_SERVICE') wrong.push(`adds the capability ${added}`)
  }
  if ((context.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) !== true) wrong.push('runAsNonRoot is not true')
  if ((context.seccompProfile ?? spec.securityContext?.seccompProfile) === undefined)
    wrong.push('seccompProfile is not set')
  if (context.procMount !== undefined && context.procMount !== 'Default')
    wrong.push(`procMount is ${context.procMount}`)
  for (const { hostPort, containerPort } of container.ports ?? []) {
    // On the node's network the API server sets it to the port itself.
    if (hostPort !== undefined && hostPort !== 0 && !onHostNetwork) wrong.push(`port ${containerPort} has a hostPort`)
  }
  const { startupProbe, livenessProbe, readinessProbe, lifecycle } = container
  const asked = {
    startupProbe,
    livenessProbe,
    readinessProbe,
    preStop: lifecycle?.preStop,
    postStart: lifecycle?.postStart,
  }
  for (const [name, probe] of Object.entries(asked)) {
    if (hostOf(probe) !== undefined) wrong.push(`${name} names a host`)
  }
  return wrong
}

function hostOf(probe: Probe | undefined): string | undefined {
  return probe?.httpGet?.host ?? probe?.tcpSocket?.host
}
