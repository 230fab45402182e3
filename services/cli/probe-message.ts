// The message of a probe: made so that whatever a relay may do to a content shows, and judged when it comes out again.
import { domainOf } from '@posthouse/core/address'
import { mailDate } from '@posthouse/core/mail-date'
import { printable, shortened } from './human.ts'

export interface ProbeMessage {
  readonly from: string
  readonly to: string
  /** 32 hexadecimal digits, drawn by chance: tells this probe's message from any other. */
  readonly token: string
  readonly content: Buffer
}

const FIELD = 'X-Posthouse-Probe'
const LONGEST_LINE = 998 // RFC 5321 4.5.3.1.6, without its CRLF
const QUOTED_LENGTH = 40

/** `now` in ms since the epoch. 7-bit, so that nobody on the way has a reason to convert it. */
export function makeProbe(from: string, to: string, token: string, now: number): ProbeMessage {
  const lines = [
    `${FIELD}: ${token}`,
    `From: <${from}>`,
    `To: <${to}>`,
    'Subject: Posthouse probe',
    `Date: ${mailDate(now)}`,
    // All that a submission must have is here: an edge adds what is missing (RFC 6409 8).
    `Message-ID: <probe-${token}@${domainOf(from)}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This message was sent by "posthouse probe", which waits for it to come out again, byte for byte.',
    '.',
    '..lines that begin with dots, or are nothing but a dot',
    'blanks at the end  \t',
    '',
    '',
    'the longest line there may be: '.padEnd(LONGEST_LINE, '='),
    'From the start of a line on, and the last one empty',
    '',
    '',
  ]
  return { from, to, token, content: Buffer.from(lines.join('\r\n'), 'latin1') }
}

/** The token in the header of a message; a report that encloses a probe's message has it in its body, and none of its own. */
export function tokenOf(content: Buffer): string | undefined {
  const end = content.indexOf('\r\n\r\n')
  const header = content.subarray(0, end < 0 ? content.length : end + 2).toString('latin1')
  return new RegExp(`^${FIELD}: ([0-9a-f]{32})\\r$`, 'im').exec(header)?.[1]
}

/**
 * What is wrong with what came out, in words; undefined if it is, to the byte, what was sent, below a trace header and
 * perhaps a signature.
 */
export function flawOf(sent: Buffer, arrived: Buffer): string | undefined {
  const { hops, rest } = withoutTop(arrived)
  if (rest.equals(sent)) return hops > 0 ? undefined : 'no Received field was put on top'
  let at = 0
  while (at < sent.length && sent[at] === rest[at]) at++
  const sizes = rest.length === sent.length ? '' : ` (${sent.length} bytes were sent, ${rest.length} came out)`
  return `from byte ${at + 1} on it is ${quoted(rest, at)} and was ${quoted(sent, at)}${sizes}`
}

/** Takes off the fields that a relay puts on top, with their folded lines. */
function withoutTop(content: Buffer): { hops: number; rest: Buffer } {
  let rest = content
  for (let hops = 0; ;) {
    const name = /^(received|dkim-signature)[ \t]*:/i.exec(rest.subarray(0, 32).toString('latin1'))?.[1]
    if (name === undefined) return { hops, rest }
    if (name.toLowerCase() === 'received') hops++
    rest = rest.subarray(/\n(?![ \t])|$/.exec(rest.toString('latin1'))!.index + 1)
  }
}

function quoted(content: Buffer, at: number): string {
  const rest = content.subarray(at, at + QUOTED_LENGTH + 1).toString('latin1')
  return rest === '' ? 'at its end' : printable(JSON.stringify(shortened(rest, QUOTED_LENGTH)))
}
