// The ground in which the tests of the rules plant something wrong: the sound release, with the parts that are spoilt most
// often within reach.
import type { Container, KubeObject, ObjectSpec, PodSpec, Rendering, SecurityContext } from '../../manifest.ts'
import { extra, pick, soundRendering } from '../sound.ts'

/** By rule: what is done to the sound release, and what the rule says then. */
export type Planted = Readonly<Record<string, readonly (readonly [what: string, plant: Plant, says: RegExp])[]>>
type Plant = (at: Bed) => unknown

export interface Bed {
  readonly rendering: Rendering
  readonly objects: KubeObject[]
  /** Of the edge. */
  readonly pod: PodSpec
  readonly container: Container
  /** Throws if there is none. */
  readonly of: (kind: string, name: string) => KubeObject
}

/** Anew for each. */
export function bed(): Bed {
  const rendering = soundRendering()
  const of = (kind: string, name: string) => pick(rendering, kind, name)
  const pod = of('Deployment', 'edge').spec?.template?.spec as PodSpec
  return { rendering, objects: rendering.objects as KubeObject[], pod, container: pod.containers[0] as Container, of }
}

export function context(container: Container): SecurityContext {
  return (container.securityContext ??= {})
}

export function spec(object: KubeObject): ObjectSpec {
  return (object.spec ??= {})
}

/** By which an object selects its pods. */
export function selector(object: KubeObject): Record<string, string> {
  return (spec(object)['selector'] as { matchLabels: Record<string, string> }).matchLabels
}

/** A further line in the settings of the edge. */
export function setting(at: Bed, text: string): void {
  const config = at.of('ConfigMap', 'edge')
  config.data = { 'edge.yaml': `${config.data?.['edge.yaml']}${text}` }
}

export function autoscaler(name: string, target: string): KubeObject {
  return extra('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
    spec: { scaleTargetRef: { kind: 'Deployment', name: target } },
  })
}

export function monitor(selected: object, port: string): KubeObject {
  return extra('monitoring.coreos.com/v1', 'PodMonitor', 'monitor', {
    spec: { selector: selected, podMetricsEndpoints: [{ port }] },
  })
}
