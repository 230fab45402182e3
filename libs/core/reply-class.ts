/**
 * What a server's reply means for the recipients it speaks of (RFC 5321 4.2.1, 4.5.3.1.10; RFC 3463). The code decides;
 * the enhanced code only where the code alone is known to mislead. What cannot be understood is temporary: a second try
 * costs little, a wrong bounce much.
 */

export type Stage = 'MAIL' | 'RCPT' | 'DATA' | 'final'

export interface ServerReply {
  readonly code: number
  /** All lines without code, joined by a blank; with the enhanced code if there is one. */
  readonly text: string
}

export type Verdict =
  | { readonly is: 'ok' }
  /** Try again later. `status` is of class 4. */
  | { readonly is: 'temporary'; readonly status: string }
  /** Too many recipients for one transaction: the rest goes in the next one, now. */
  | { readonly is: 'next transaction'; readonly status: string }
  | { readonly is: 'permanent'; readonly status: string }

const OK: Verdict = { is: 'ok' }
const enhancedCode = /^([245])\.(\d{1,3})\.(\d{1,3})(?= |$)/

/** `accepted`: recipients of this transaction already taken. */
export function classifyReply(stage: Stage, reply: ServerReply, accepted = 0): Verdict {
  const { code } = reply
  if (code >= 200 && code < 300 && stage !== 'DATA') return OK
  if (stage === 'DATA' && code === 354) return OK
  const [subject, detail] = enhancedOf(reply) ?? fallback(stage, code)
  const status = `${subject}.${detail}`
  if (stage === 'RCPT' && (code === 452 || code === 552) && isTooMany(reply))
    return { is: accepted > 0 ? 'next transaction' : 'temporary', status: '4.5.3' }
  if (code < 500 || code > 599) return { is: 'temporary', status: `4.${status}` }
  // RFC 3463 3.3: a full mailbox is a persistent transient failure, whatever the code says.
  if (subject === 2 && detail === 2) return { is: 'temporary', status: '4.2.2' }
  // A contradiction ("550 4.7.1 try later") is read as the milder.
  if (reply.text.startsWith('4.') && enhancedCode.test(reply.text)) return { is: 'temporary', status: `4.${status}` }
  return { is: 'permanent', status: `5.${status}` }
}

/** The server is about to close the connection (RFC 5321 3.8). */
export function isClosing(reply: ServerReply): boolean {
  return reply.code === 421
}

/** RFC 5321 4.5.3.1.10: 452 is right, 552 is an old mistake; both are told from a full mailbox by the enhanced code. */
function isTooMany(reply: ServerReply): boolean {
  const enhanced = enhancedOf(reply)
  return enhanced === undefined
    ? reply.code === 452 || !/mailbox|quota|size|large/i.test(reply.text)
    : enhanced[0] === 5 && enhanced[1] === 3
}

function enhancedOf({ text }: ServerReply): readonly [number, number] | undefined {
  const match = enhancedCode.exec(text)
  return match === null ? undefined : [Number(match[2]), Number(match[3])]
}

/** The status for a reply that brought none (RFC 5248 and common use). */
function fallback(stage: Stage, code: number): readonly [number, number] {
  switch (code) {
    case 421:
      return [3, 2]
    case 450:
      return [2, 0]
    case 451:
      return [3, 0]
    case 452:
      return stage === 'RCPT' ? [5, 3] : [3, 1]
    case 454:
    case 530:
    case 534:
    case 535:
    case 538:
      return [7, 0]
    case 500:
    case 502:
      return [5, 1]
    case 501:
      return stage === 'RCPT' ? [1, 3] : [5, 4]
    case 503:
      return [5, 1]
    case 504:
    case 555:
      return [5, 4]
    case 550:
      return stage === 'RCPT' ? [1, 1] : stage === 'MAIL' ? [1, 8] : [7, 1]
    case 551:
      return [1, 6]
    case 552:
      return stage === 'RCPT' ? [2, 2] : [3, 4]
    case 553:
      return stage === 'MAIL' ? [1, 7] : [1, 3]
    case 556:
      return [1, 10]
    default:
      return [0, 0]
  }
}

/** One line for log, queue and report: "550 5.1.1 no such user", control characters made blanks, bounded. */
export function replyLine(reply: ServerReply, most = 500): string {
  return oneLine(`${reply.code} ${reply.text}`, most)
}

export function oneLine(text: string, most = 500): string {
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean
}
