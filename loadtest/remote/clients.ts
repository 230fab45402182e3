// The kinds of clients that a remote load consists of: such that keep a session, such that send a couple of messages over each,
// and such that connect for every message; over the edge's usual port and, where it is given, over the one with implicit TLS.

import type { Sending } from '../sender.ts'
import type { Target } from '../smtp-client.ts'

export interface Client extends Pick<Sending, 'connections' | 'targets' | 'sessions'> {}

export interface Ways {
  readonly edges: readonly Target[]
  /** With implicit TLS; may be empty. */
  readonly submissions: readonly Target[]
}

const A_COUPLE = 20
/** Of the sessions, those with implicit TLS, and those with a connection for each message: TLS and log-in cost much more
 * than the message does. */
const SHARES = { implicit: 0.25, oneShot: 0.15, couple: 0.4 }

/** Every kind has a session at least, so that there may be some more than asked for. */
export function clientsOf({ edges, submissions }: Ways, sessions: number): Client[] {
  const implicit = submissions.length === 0 ? 0 : SHARES.implicit
  const kindsOver = (targets: readonly Target[], share: number): Client[] => {
    const count = (part: number) => Math.max(1, Math.round(part * share * sessions))
    return [
      { targets, connections: 'kept', sessions: count(1 - SHARES.couple - SHARES.oneShot) },
      { targets, connections: A_COUPLE, sessions: count(SHARES.couple) },
      { targets, connections: 'one-shot', sessions: count(SHARES.oneShot) },
    ]
  }
  return [...kindsOver(edges, 1 - implicit), ...(implicit === 0 ? [] : kindsOver(submissions, implicit))]
}
