/**
 * How a receiver knows that a request is ours and not an old one: HMAC-SHA256 (RFC 2104) with the shared secret over the time
 * and the body, in the header Posthouse-Signature (docs/webhooks.md).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const SIGNATURE_HEADER = 'Posthouse-Signature'

/** The value of the header; `at` in seconds since 1970. */
export function sign(secret: string, at: number, body: string): string {
  return `t=${at},v1=${digest(secret, at, body).toString('hex')}`
}

/** What a receiver does: is it signed with the secret, and not older than `tolerance` seconds? */
export function verify(secret: string, header: string, body: string, now: number, tolerance: number): boolean {
  const fields = new Map(header.split(',').map((part) => part.split('=', 2) as [string, string]))
  const at = Number(fields.get('t'))
  const given = Buffer.from(fields.get('v1') ?? '', 'hex')
  const right = digest(secret, at, body)
  return Math.abs(now - at) <= tolerance && given.length === right.length && timingSafeEqual(given, right)
}

function digest(secret: string, at: number, body: string): Buffer {
  return createHmac('sha256', secret).update(`${at}.${body}`).digest()
}
