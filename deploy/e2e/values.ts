// The values that the chart is installed with. Pure.

import type { Image } from './image.ts'
import { sinkAddress } from './load-pod.ts'
import type { Places } from './place.ts'

export const RELEASE = 'posthouse'
export const USER = 'load'
export const HELD_USER = 'held'
/** Domains that nobody can have (RFC 2606), and where their mail goes. */
export const SENDER_DOMAIN = 'e2e.example'
export const LOAD = { pod: 'load', domain: 'load.example', secret: 'load-user' } as const
export const HELD = { pod: 'held', domain: 'held.example', secret: 'held-user' } as const
/** Which pods are this run's own, wherever they are: what a node is drained of. */
export const RUN_LABEL = 'posthouse-e2e/run'

export interface Setting {
  readonly namespace: string
  readonly clusterDomain: string
  readonly run: string
  readonly places: Places
}

/** What --values may say otherwise. */
export function defaults(): object {
  return {
    edge: { service: { type: 'ClusterIP' } },
    nats: { persistence: { size: '2Gi', whenDeleted: 'Delete' } },
  }
}

export interface Changes {
  readonly image: Image
  readonly partitions: number
  /** Changes a setting of each service, and every pod template. */
  readonly upgraded: boolean
}

/** What the run depends on: users, routes, places. */
export function ownValues({ namespace, clusterDomain, run, places }: Setting, changes: Changes): object {
  const to = (name: string) => sinkAddress(name, namespace, clusterDomain)
  const podAnnotations = { 'posthouse-e2e/upgraded': String(changes.upgraded) }
  return {
    clusterDomain,
    commonLabels: { [RUN_LABEL]: run },
    image: changes.image,
    queue: { partitions: changes.partitions },
    edge: {
      replicas: 2,
      users: [
        { name: USER, addresses: [`@${SENDER_DOMAIN}`], existingSecret: LOAD.secret },
        { name: HELD_USER, addresses: [`@${SENDER_DOMAIN}`], existingSecret: HELD.secret },
      ],
      podAnnotations,
      settings: { limits: { messageSize: changes.upgraded ? '48MiB' : '40MiB' } },
    },
    delivery: {
      replicas: 2,
      podAnnotations,
      settings: {
        route: { smarthosts: [to(LOAD.pod)], domains: [{ domain: HELD.domain, hosts: [to(HELD.pod)] }] },
        // What the sink defers comes soon, and what waits for its host is tried often enough.
        retry: { first: '3s', longest: changes.upgraded ? '20s' : '15s' },
      },
    },
    nats: { replicas: 3, podAnnotations, ...natsPlacement(places) },
  }
}

/** With fewer nodes than servers, the node that is broken holds one of them: losing two would be losing the majority. */
function natsPlacement({ victim, nodes }: Places): object {
  if (victim === undefined || nodes.length >= 3) return {}
  const elsewhere = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: [victim] }
  return {
    whenUnsatisfiable: 'DoNotSchedule',
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: [elsewhere] } },
        ],
      },
    },
  }
}
