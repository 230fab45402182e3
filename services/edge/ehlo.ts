/** What EHLO offers: only what is honoured. */
import { multilineReply } from '@posthouse/core/reply'
import type { Reply } from '@posthouse/core/reply'

export interface Offer {
  readonly hostname: string
  readonly size: number
  readonly startTls: boolean
  readonly auth: boolean
}

export function ehloReply(offer: Offer): Reply {
  const lines = [offer.hostname, 'PIPELINING', `SIZE ${offer.size}`]
  if (offer.startTls) lines.push('STARTTLS')
  if (offer.auth) lines.push('AUTH PLAIN LOGIN')
  lines.push('ENHANCEDSTATUSCODES', '8BITMIME', 'SMTPUTF8', 'DSN')
  return multilineReply(250, lines)
}
