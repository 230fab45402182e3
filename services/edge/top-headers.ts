/** The header lines an edge puts on top of a message: its trace, and what a submission lacks (RFC 6409 8). */
import { receivedHeader } from '@posthouse/core/received'
import type { ContentScan } from '@posthouse/core/scan'
import { missingHeaders } from '@posthouse/core/submission'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

export function topHeaders(session: Session, transaction: Transaction, id: string, scan: ContentScan): string {
  const { hostname, now } = session.context
  const at = now()
  const only = transaction.recipients.length === 1 ? transaction.recipients[0]?.address : undefined
  const trace = receivedHeader(session.trace(transaction.parameters.smtputf8 === true), id, only, at)
  // Mail that is relayed is somebody else's: only a submission is repaired.
  return session.listener.role === 'relay' ? trace : trace + missingHeaders(scan, id, hostname, at)
}
