// What a room stands on: places for its nodes, and those of the outside world. Namespaces or loopback.

import type { NatsPorts } from '@posthouse/testkit/nats-config'
import type { Links, NodeKind, Room } from '../room.ts'
import type { SmtpPorts } from './ports.ts'

export interface Ground extends AsyncDisposable {
  readonly isolated: boolean
  readonly sites: Room['sites']
  readonly dns: Room['dns']
  readonly links: Links
  /** Networks whose clients the edges relay for. */
  readonly clients: string
  /** Addresses that a delivery node takes for its own. */
  readonly own: readonly string[]
  place(kind: NodeKind, number: number): Promise<Place>
  /** Once nothing runs there any more. */
  leave(place: Place): Promise<void>
}

export interface Place {
  readonly name: string
  readonly kind: NodeKind
  readonly number: number
  readonly address: string
  /** The network namespace, where it is not everybody's. */
  readonly namespace: string | undefined
  readonly httpPort: number
  readonly smtp: SmtpPorts
  readonly nats: NatsPorts
  /** Ports of the delay proxies in front of a NATS server. */
  readonly proxies: Pick<NatsPorts, 'client' | 'cluster'>
}
