/**
 * The trace header (RFC 5321 4.4) that an accepting node puts on top: from whom, by whom, how, under which id, for whom
 * if there is but one recipient (several would tell them of each other), and when. What belongs to the session is made
 * once per session, so that a message adds three strings.
 */
import { mailDate } from './mail-date.ts'

export interface TraceSession {
  /** What the client said in HELO or EHLO. */
  readonly helo: string
  readonly clientAddress: string
  /** The name of this host. */
  readonly by: string
  readonly extended: boolean
  readonly tls: string | undefined
  readonly authenticated: boolean
  readonly smtputf8: boolean
}

/** The part of a Received header that all messages of a session share, up to and including "id ". */
export function receivedPrefix(session: TraceSession): string {
  const literal = addressLiteral(session.clientAddress)
  const from = isDomainLike(session.helo) ? `${session.helo} (${literal})` : literal
  const tls = session.tls === undefined ? '' : `\r\n\t(using ${session.tls})`
  return `Received: from ${from}${tls}\r\n\tby ${session.by} with ${protocol(session)} id `
}

export function receivedHeader(prefix: string, id: string, recipient: string | undefined, now: number): string {
  return recipient === undefined
    ? `${prefix}${id};\r\n\t${mailDate(now)}\r\n`
    : `${prefix}${id}\r\n\tfor <${recipient}>;\r\n\t${mailDate(now)}\r\n`
}

/** RFC 3848 and RFC 6531 4.3. */
export function protocol(session: Pick<TraceSession, 'extended' | 'tls' | 'authenticated' | 'smtputf8'>): string {
  if (!session.extended) return 'SMTP'
  const base = session.smtputf8 ? 'UTF8SMTP' : 'ESMTP'
  return base + (session.tls === undefined ? '' : 'S') + (session.authenticated ? 'A' : '')
}

function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

// A name that could end the header, open a comment or fill the line does not get in.
function isDomainLike(helo: string): boolean {
  return helo.length <= 255 && /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[A-Za-z0-9:.]+\])$/.test(helo)
}
