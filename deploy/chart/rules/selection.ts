// What points at pods, or at their ports, points at the right ones: Services, budgets of disruption, autoscalers, monitors,
// probes and policies.
import type { KubeObject, LabelSelector, Probe, Rendering, ServicePort, Workload } from '../manifest.ts'
import { containersOf, labelsOf, matchesLabels, nameOf, ofKind, portOf, selects, workloads } from '../manifest.ts'

/** Every Service selects the pods of one workload, which have all of its ports. */
export function services(rendering: Rendering): string[] {
  const all = workloads(rendering)
  return ofKind(rendering, 'Service').flatMap((service) => {
    const { selector, ports = [] } = service.spec as { selector?: Record<string, string>; ports?: ServicePort[] }
    if (selector === undefined || Object.keys(selector).length === 0) return [`${nameOf(service)} selects nothing`]
    const selected = all.filter(({ template }) => matchesLabels(selector, labelsOf(template)))
    const wrong: string[] = []
    if (selected.length !== 1) wrong.push(`selects the pods of ${listed(selected)}, not of one`)
    if (!sameComponent(service, selected)) wrong.push('selects pods of another component')
    if (ports.length === 0) wrong.push('has no port')
    if (new Set(ports.map(({ name }) => name)).size !== ports.length) wrong.push('has two ports of one name')
    if (new Set(ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`)).size !== ports.length)
      wrong.push('has one port twice')
    for (const { template } of selected) {
      for (const { port, targetPort = port, name } of ports) {
        const number = portOf(template, targetPort)
        const isThere = containersOf(template).some((container) =>
          (container.ports ?? []).some(({ containerPort }) => containerPort === number),
        )
        if (!isThere) wrong.push(`leads port ${name ?? port} to ${targetPort}, which no container has`)
      }
    }
    return wrong.map((what) => `${nameOf(service)} ${what}`)
  })
}

/** A StatefulSet names a headless Service that selects its pods, also before they are ready: they must find each other. */
export function governingServices(rendering: Rendering): string[] {
  return workloads(rendering)
    .filter(({ object }) => object.kind === 'StatefulSet')
    .flatMap(({ object, template }) => {
      const name = object.spec?.['serviceName']
      const service = ofKind(rendering, 'Service').find(({ metadata }) => metadata.name === name)
      if (service === undefined) return [`${nameOf(object)}: there is no Service ${String(name)}`]
      const { clusterIP, publishNotReadyAddresses, selector } = service.spec as {
        clusterIP?: string
        publishNotReadyAddresses?: boolean
        selector?: Record<string, string>
      }
      const wrong: string[] = []
      if (clusterIP !== 'None') wrong.push('is not headless')
      if (publishNotReadyAddresses !== true) wrong.push('hides servers that are not ready from each other')
      if (!matchesLabels(selector, labelsOf(template))) wrong.push(`does not select the pods of ${nameOf(object)}`)
      return wrong.map((what) => `${nameOf(service)} ${what}`)
    })
}

/** The pods of every lasting workload are in one budget of disruption, of their own. `without`: workloads that need none. */
export function disruptionBudgets(rendering: Rendering, without: readonly string[] = []): string[] {
  const budgets = ofKind(rendering, 'PodDisruptionBudget')
  const all = workloads(rendering)
  const lasting = all.filter(({ isLasting }) => isLasting)
  const of = (budget: KubeObject) =>
    all.filter(({ template }) => selects((budget.spec as { selector: LabelSelector }).selector, labelsOf(template)))
  return [
    ...lasting.flatMap((workload) => {
      const found = budgets.filter((budget) => of(budget).includes(workload))
      if (found.length === 1 || (found.length === 0 && without.includes(nameOf(workload.object)))) return []
      return [`${nameOf(workload.object)}: its pods are in ${found.length} PodDisruptionBudgets`]
    }),
    ...budgets.flatMap((budget) => {
      const { minAvailable, maxUnavailable } = budget.spec ?? {}
      const selected = of(budget)
      const wrong = selected.length === 1 ? [] : [`selects the pods of ${listed(selected)}, not of one`]
      if (minAvailable === undefined && maxUnavailable === undefined) wrong.push('allows nothing')
      if (maxUnavailable === 0 || maxUnavailable === '0%' || minAvailable === '100%')
        wrong.push('keeps every node from being drained')
      return wrong.map((what) => `${nameOf(budget)} ${what}`)
    }),
  ]
}

/** Autoscalers scale something that is there, whose number of pods is then left to them. */
export function autoscalers(rendering: Rendering): string[] {
  return ofKind(rendering, 'HorizontalPodAutoscaler', 'ScaledObject').flatMap((scaler) => {
    const { scaleTargetRef } = scaler.spec as { scaleTargetRef: { kind?: string; name: string } }
    const { kind = 'Deployment', name } = scaleTargetRef
    const target = ofKind(rendering, kind).find(({ metadata }) => metadata.name === name)
    if (target === undefined) return [`${nameOf(scaler)} scales ${kind}/${name}, which is not there`]
    const others = ofKind(rendering, 'HorizontalPodAutoscaler', 'ScaledObject').filter(
      (other) => other !== scaler && (other.spec as { scaleTargetRef: { name: string } }).scaleTargetRef.name === name,
    )
    return [
      ...(target.spec?.['replicas'] === undefined ? [] : [`${nameOf(target)} has replicas beside ${nameOf(scaler)}`]),
      ...others.map((other) => `${nameOf(scaler)} and ${nameOf(other)} both scale ${nameOf(target)}`),
    ]
  })
}

/** Monitors select pods that have the port they ask. */
export function monitors(rendering: Rendering): string[] {
  return ofKind(rendering, 'PodMonitor').flatMap((monitor) => {
    const { selector, podMetricsEndpoints } = monitor.spec as {
      selector: LabelSelector
      podMetricsEndpoints: { port: string }[]
    }
    const selected = workloads(rendering).filter(({ template }) => selects(selector, labelsOf(template)))
    if (selected.length === 0) return [`${nameOf(monitor)} selects nothing`]
    return selected.flatMap(({ object, template }) =>
      podMetricsEndpoints
        .filter(({ port }) => portOf(template, port) === undefined)
        .map(({ port }) => `${nameOf(monitor)} asks the port ${port}, which ${nameOf(object)} does not have`),
    )
  })
}

/** What a probe asks by name is a port of its container. */
export function probedPorts(rendering: Rendering): string[] {
  return workloads(rendering).flatMap(({ object, template }) =>
    containersOf(template).flatMap((container) => {
      const { startupProbe, livenessProbe, readinessProbe } = container
      const asked = Object.entries({ startupProbe, livenessProbe, readinessProbe })
      return asked.flatMap(([name, probe]) => {
        const port = probedPort(probe)
        const has = (container.ports ?? []).some((each) => each.name === port || each.containerPort === port)
        if (port === undefined || has) return []
        return [`${nameOf(object)}: container ${container.name}: ${name} asks ${port}, which is none of its ports`]
      })
    }),
  )
}

function probedPort(probe: Probe | undefined): number | string | undefined {
  return probe?.httpGet?.port ?? probe?.tcpSocket?.port
}

/** Every policy restricts pods that are there, and all pods are restricted in both directions. */
export function restrictedNetwork(rendering: Rendering): string[] {
  const policies = ofKind(rendering, 'NetworkPolicy')
  const all = workloads(rendering)
  const of = (policy: KubeObject) =>
    all.filter(({ template }) =>
      selects((policy.spec as { podSelector: LabelSelector }).podSelector, labelsOf(template)),
    )
  return [
    ...policies.filter((policy) => of(policy).length === 0).map((policy) => `${nameOf(policy)} restricts nobody`),
    ...all.flatMap((workload) => {
      const types = policies
        .filter((policy) => of(policy).includes(workload))
        .flatMap((policy) => policy.spec?.['policyTypes'] as string[])
      return ['Ingress', 'Egress']
        .filter((type) => !types.includes(type))
        .map((type) => `${nameOf(workload.object)}: no NetworkPolicy restricts its ${type}`)
    }),
  ]
}

function listed(found: readonly Workload[]): string {
  return found.length === 0 ? 'nothing' : found.map(({ object }) => nameOf(object)).join(' and ')
}

function sameComponent(service: KubeObject, selected: readonly Workload[]): boolean {
  const component = service.metadata.labels?.['app.kubernetes.io/component']
  return selected.every(({ template }) => labelsOf(template)['app.kubernetes.io/component'] === component)
}
