// Who has which address in a room of namespaces: one flat network, the third number says what kind of party it is.

import type { NodeKind } from '../room.ts'

export const BRIDGE = 'room0'
export const NETWORK = '10.77.0.0/16'
export const NETWORK_BITS = 16
/** The harness: its clients, and its questions about health and metrics. */
export const CLIENTS = '10.77.0.1'
export const DNS = '10.77.8.1'
export const SITES = Array.from({ length: 6 }, (_, index) => `10.77.9.${index + 1}`)
export const SITES_NETWORK = '10.77.9.0/24'

const KIND_NUMBERS: Readonly<Record<NodeKind, number>> = { balancer: 1, nats: 2, edge: 3, delivery: 4 }

/** Address of the nth node of a kind, from 1. */
export function addressOf(kind: NodeKind, number: number): string {
  return `10.77.${KIND_NUMBERS[kind]}.${number}`
}
