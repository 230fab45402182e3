/** What all sessions of a node share. */
import type { AcceptPort } from '@posthouse/queue/port'
import type { Activities } from '@posthouse/runtime/lifecycle/activities'
import type { LimitedLog } from '@posthouse/runtime/limited-log'
import type { Log } from '@posthouse/runtime/log'
import type { Metrics } from '@posthouse/runtime/metrics/registry'
import type { Tracer } from '@posthouse/runtime/tracing'
import type { Authenticator } from './authenticator.ts'
import type { KnownClients } from './known-clients.ts'
import type { metricsTable } from './metrics.ts'
import type { Sessions } from './sessions.ts'

export interface EdgeContext {
  /** Name of the node, for the record. */
  readonly node: string
  /** SMTP name, for banner, EHLO and Received. */
  readonly hostname: string
  readonly limits: {
    readonly messageSize: number
    readonly recipients: number
    readonly connections: number
    readonly connectionsPerClient: number
    readonly dataRate: number
  }
  readonly timeouts: { readonly command: number; readonly session: number }
  readonly greetingDelay: number
  readonly failedLoginDelay: number
  readonly queue: AcceptPort
  readonly log: Log
  /** For lines that strangers can cause: so many a second, the rest is counted. */
  readonly strangersLog: LimitedLog
  readonly metrics: Metrics<typeof metricsTable>
  readonly tracer: Tracer
  readonly activities: Activities
  readonly sessions: Sessions
  readonly known: KnownClients
  /** Absent without a users file: nobody can log in. */
  readonly authenticator: Authenticator | undefined
  /** A new queue id. */
  nextId(): string
  /** ms since the epoch. */
  now(): number
}
