/**
 * An SMTP reply: code (RFC 5321 4.2), enhanced status code (RFC 3463, registry of RFC 5248), the public text and, apart
 * from it, the private cause for the log. Its wire form is made once, so that a constant reply costs nothing to send.
 */

export interface Reply {
  readonly code: number
  /** "5.7.1"; empty where RFC 2034 wants none (greeting, EHLO, 3xx). */
  readonly enhanced: string
  readonly text: string
  /** The line as it is sent, with its CRLF. */
  readonly wire: string
  /** What happened, for the log only; never sent. */
  readonly cause?: string
}

// A control character would split the reply or forge a log line.
const control = /[\x00-\x1f\x7f-\x9f]/g

export function reply(code: number, enhanced: string, text: string, cause?: string): Reply {
  const clean = text.replace(control, ' ')
  const wire = enhanced === '' ? `${code} ${clean}\r\n` : `${code} ${enhanced} ${clean}\r\n`
  return cause === undefined
    ? { code, enhanced, text: clean, wire }
    : { code, enhanced, text: clean, wire, cause: cause.replace(control, ' ') }
}

/** A reply of several lines without an enhanced code: what EHLO answers. */
export function multilineReply(code: number, lines: readonly string[]): Reply {
  const clean = lines.map((line) => line.replace(control, ' '))
  const last = clean.length - 1
  const wire = clean.map((line, index) => `${code}${index < last ? '-' : ' '}${line}\r\n`).join('')
  return { code, enhanced: '', text: clean.join(' '), wire }
}

/** The same reply with a cause for the log. */
export function because(to: Reply, cause: string): Reply {
  return { ...to, cause: cause.replace(control, ' ') }
}

export function isTemporary(to: Reply): boolean {
  return to.code >= 400 && to.code < 500
}
