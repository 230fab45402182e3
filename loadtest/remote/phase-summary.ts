// What is told of a phase: the JSON that POST /phase answers with. Times of day are ISO 8601, others milliseconds unless named
// otherwise.

import type { Incident } from './incidents.ts'
import type { TimesSummary } from './times.ts'

/** What was accepted and has not arrived yet. */
export interface Open {
  readonly recipients: number
  /** Of these, those that the sink has sent away once: they come when the relay tries again. */
  readonly deferred: number
  /** How long the oldest of the others has waited. */
  readonly oldestMs: number
}

export interface PhaseSummary {
  readonly name: string
  readonly began: string
  /** Null: it is still going on. */
  readonly ended: string | null
  readonly seconds: number
  /** Messages that clients began with, and 250s to a final dot. */
  readonly messages: number
  readonly accepted: number
  readonly acceptedRecipients: number
  readonly acceptedPerSecond: number
  /** Replies 4xx and 5xx to MAIL, RCPT, DATA or the final dot; but for a 421 between messages. */
  readonly refused: number
  readonly refusedAt: Readonly<Record<string, number>>
  readonly refusals: readonly Incident[]
  /** Tries whose connection was lost after the dot. */
  readonly unknown: number
  /** Tries again: after an unknown fate; after a refusal for now. */
  readonly repeated: number
  readonly retried: number
  /** Messages given up before their 250: refused for good, or tried for too long, or the load was stopped. */
  readonly givenUp: number
  readonly gaps: { readonly longestMs: number; readonly from: string | null; readonly overOneSecond: number }
  /** From MAIL to the 250, of the try that got it. */
  readonly acceptMs: TimesSummary
  /** From when a client had the message in hand to its (first) 250: connecting, logging in and trying again are in it. */
  readonly waitMs: TimesSummary
  readonly connections: number
  /** Sessions that the server ended by 421 between messages. */
  readonly closedInGoodOrder: number
  /** Sessions that had ended between messages without a word. */
  readonly closedWithoutWord: number
  /** No connection, or none that could be spoken over: refused, reset, silent, TLS failed. */
  readonly connectFailures: number
  readonly connectTroubles: readonly Incident[]
  /** Greeting, EHLO, STARTTLS or AUTH answered with something else than yes. */
  readonly turnedAway: number
  readonly turnedAwayWith: readonly Incident[]
  /** Connections lost from MAIL on. */
  readonly lostConnections: number
  readonly lostAt: Readonly<Record<string, number>>
  readonly losses: readonly Incident[]
  /** Connections that this load itself closed when it was stopped and they took too long. */
  readonly abandoned: number
  /** Copies that arrived, one for each recipient. */
  readonly deliveries: number
  /** From the 250 to the arrival of the first copy; but for recipients that the sink had deferred. */
  readonly deliveryMs: TimesSummary
  /** Of those recipients. */
  readonly deferredDeliveryMs: TimesSummary
  /** Recipients answered 450 by the sink. */
  readonly deferred: number
  /** Copies that no try accounts for. */
  readonly duplicates: number
  readonly altered: number
  /** Copies for somebody who was never sent anything. */
  readonly unexpected: number
  readonly bounced: number
  readonly strange: readonly string[]
  /** Messages taken by each edge, as it calls itself; copies brought by each delivery node. */
  readonly edges: Readonly<Record<string, number>>
  readonly deliveryNodes: Readonly<Record<string, number>>
  /** When the phase ended, or now. */
  readonly open: Open
}
