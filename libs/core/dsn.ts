/**
 * The report that tells a sender what was not delivered (RFC 3464, for the DSN parameters RFC 3461, for international
 * addresses RFC 6533): text for people, fields for programs, and the returned message or its header. It is a message
 * of its own from the null reverse-path, so nothing is ever reported about it.
 */
import { mailDate } from './mail-date.ts'
import type { Envelope, MailRecord, Recipient } from './record.ts'
import { INLINE_LIMIT } from './record-codec.ts'
import { oneLine } from './reply-class.ts'
import { returnedPart } from './returned-part.ts'
import { scanContent } from './scan.ts'
import { decodeXtext } from './xtext.ts'

export interface FailedRecipient {
  /** Position in envelope.recipients. */
  readonly position: number
  /** Of class 5, or 4 for what expired. */
  readonly status: string
  /** What was said, one line. */
  readonly diagnostic: string
  /** `diagnostic` is an SMTP reply of `remote`; else it is our own finding. */
  readonly isReply: boolean
  /** Name of the host that refused. */
  readonly remote?: string
}

export interface DsnOptions {
  /** Queue id of the report. */
  readonly id: string
  /** Our SMTP name. */
  readonly hostname: string
  readonly now: number
}

/** Bytes that the recipients may take, twice: for people, and as fields. */
const MOST_LISTED = 128 * 1024
/** What else is written: a report must fit into a record like any message. */
const FRAME = 8 * 1024
/** Longest that is repeated of what was said of one of a few recipients, and of one of very many. */
const MOST_SAID = 500
const LEAST_SAID = 60

/** Is a failure of this recipient to be reported (RFC 3461 4.1; nobody to tell: RFC 5321 4.5.5)? */
export function wantsFailureReport(envelope: Envelope, recipient: Recipient): boolean {
  return envelope.from !== '' && (recipient.notify === undefined || recipient.notify.includes('FAILURE'))
}

/** `content` is the message or at least its beginning with the whole header section; `whole` says which. */
export function failureReport(
  envelope: Envelope,
  failed: readonly FailedRecipient[],
  content: Uint8Array,
  whole: boolean,
  options: DsnOptions,
): MailRecord {
  const message = reportText(envelope, failed, content, whole, options)
  const facts = scanContent(message)
  return {
    envelope: {
      id: options.id,
      from: '',
      recipients: [{ address: envelope.from, index: 0 }],
      acceptedAt: options.now,
      storedAt: 0,
      origin: 0,
      attempts: { count: 0 },
      facts,
      report: {
        record: envelope.id,
        recipients: failed.map(({ position }) => envelope.recipients[position]?.index ?? position),
      },
      ...(facts.eightBit ? { body8bit: true } : undefined),
      ...(isAscii(envelope.from) && !facts.eightBitHeader ? undefined : { smtputf8: true }),
      ...(envelope.traceparent === undefined ? undefined : { traceparent: envelope.traceparent }),
    },
    content: message,
  }
}

function reportText(
  envelope: Envelope,
  failed: readonly FailedRecipient[],
  content: Uint8Array,
  whole: boolean,
  { id, hostname, now }: DsnOptions,
): Buffer {
  const { listed: recipients, unlisted, bytes } = listRecipients(envelope, failed, now)
  const international = !recipients.every(({ recipient }) => isAscii(recipient?.address ?? ''))
  const returned = returnedPart(
    content,
    whole && envelope.ret === 'FULL',
    envelope.facts.eightBit,
    INLINE_LIMIT - FRAME - bytes,
  )
  const boundary = `=_${id}`
  const people = [
    `This is the mail system at ${hostname}.`,
    '',
    'Your message could not be delivered to:',
    '',
    ...recipients.flatMap(({ people }) => people),
    ...(unlisted === 0 ? [] : [`... and to ${unlisted} more recipients, whose names found no room here.`, '']),
    'Nothing more will be tried. The technical details and ' +
      (returned.isWhole ? 'your message' : 'the header of your message') +
      ' are attached.',
    `Queue id: ${envelope.id}`,
  ]
  const fields = [
    ...(envelope.envid === undefined ? [] : [`Original-Envelope-Id: ${oneLine(decodeXtext(envelope.envid))}`]),
    `Reporting-MTA: dns; ${hostname}`,
    `X-Posthouse-Queue-Id: ${envelope.id}`,
    `Arrival-Date: ${mailDate(envelope.acceptedAt)}`,
    '',
    ...recipients.flatMap((one) => one.fields),
  ]
  const head = [
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${oneLine(envelope.from)}>`,
    'Subject: Undelivered mail returned to sender',
    `Date: ${mailDate(now)}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${people.every(isAscii) ? '7bit' : '8bit'}`,
    '',
    ...people,
    '',
    `--${boundary}`,
    `Content-Type: message/${international ? 'global-' : ''}delivery-status`,
    `Content-Transfer-Encoding: ${fields.every(isAscii) ? '7bit' : '8bit'}`,
    '',
    ...fields,
    `--${boundary}`,
    ...returned.header,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), returned.body, Buffer.from(`\r\n--${boundary}--\r\n`)])
}

interface Listed {
  readonly recipient: Recipient | undefined
  readonly people: readonly string[]
  readonly fields: readonly string[]
}

/** As many as there is room for; the more there are, the less is repeated of what was said of each. */
function listRecipients(envelope: Envelope, failed: readonly FailedRecipient[], now: number) {
  const most = Math.max(LEAST_SAID, Math.min(MOST_SAID, Math.floor(MOST_LISTED / 8 / Math.max(1, failed.length))))
  const listed: Listed[] = []
  let bytes = 0
  for (const one of failed) {
    const recipient = envelope.recipients[one.position]
    const said = { ...one, diagnostic: oneLine(one.diagnostic, most) }
    const from = one.isReply && one.remote !== undefined ? `${one.remote} said: ` : ''
    const people = [`<${recipient?.address ?? ''}>:`, `    ${from}${said.diagnostic}`, '']
    const fields = [...recipientFields(recipient, said, now), '']
    bytes += Buffer.byteLength([...people, ...fields].join('\r\n')) + 2
    if (bytes > MOST_LISTED) break
    listed.push({ recipient, people, fields })
  }
  return { listed, unlisted: failed.length - listed.length, bytes: Math.min(bytes, MOST_LISTED) }
}

function recipientFields(recipient: Recipient | undefined, failed: FailedRecipient, now: number): string[] {
  const address = recipient?.address ?? ''
  const original = recipient?.orcpt === undefined ? undefined : originalRecipient(recipient.orcpt)
  return [
    ...(original === undefined ? [] : [`Original-Recipient: ${original}`]),
    `Final-Recipient: ${isAscii(address) ? 'rfc822' : 'utf-8'}; ${address}`,
    'Action: failed',
    `Status: ${failed.status}`,
    ...(failed.remote === undefined ? [] : [`Remote-MTA: dns; ${failed.remote}`]),
    `Diagnostic-Code: ${failed.isReply ? 'smtp' : 'x-posthouse'}; ${failed.diagnostic}`,
    `Last-Attempt-Date: ${mailDate(now)}`,
  ]
}

/** "rfc822;a+2Bb@example.org" as the sender meant it; undefined if it is no such thing. */
function originalRecipient(orcpt: string): string | undefined {
  const semicolon = orcpt.indexOf(';')
  if (semicolon < 1) return undefined
  return oneLine(`${orcpt.slice(0, semicolon)};${decodeXtext(orcpt.slice(semicolon + 1))}`)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false
  return true
}
