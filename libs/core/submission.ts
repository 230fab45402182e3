/**
 * What a submission server adds to a message that lacks it (RFC 6409 8.2, 8.3): Date and Message-ID. Nothing that is
 * there is changed.
 */
import { mailDate } from './mail-date.ts'

export interface HeaderFacts {
  readonly hasDate: boolean
  readonly hasMessageId: boolean
}

/** The header lines to put on top, '' if nothing lacks. */
export function missingHeaders(facts: HeaderFacts, id: string, hostname: string, now: number): string {
  let lines = ''
  if (!facts.hasDate) lines += `Date: ${mailDate(now)}\r\n`
  if (!facts.hasMessageId) lines += `Message-ID: ${madeMessageId(id, hostname, now)}\r\n`
  return lines
}

export function madeMessageId(id: string, hostname: string, now: number): string {
  return `<${id}.${Math.floor(now).toString(36)}@${hostname}>`
}
