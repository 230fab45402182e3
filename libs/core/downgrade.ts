/**
 * What a message needs of the next host, and what becomes of it where that is missing: nothing is sent that the host did
 * not offer to take. A domain with U-labels goes as A-labels (RFC 5891) where that is all it takes; a local part, a
 * header or a body is never rewritten (they may be signed): such mail is returned (RFC 6531 3.2, RFC 6152 3).
 */
import { asciiDomain } from './destination.ts'
import type { ContentFacts } from './record.ts'

export interface Offered {
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  /** Largest message the host takes (RFC 1870); 0 = not said. */
  readonly size: number
}

export interface Wanted {
  readonly from: string
  readonly to: readonly string[]
  readonly smtputf8: boolean
  readonly facts: ContentFacts
}

export type Refusal = { readonly status: string; readonly reason: string }

export type Fit =
  /** The whole message cannot go to this host. */
  | { readonly is: 'refused'; readonly refusal: Refusal }
  | {
      readonly is: 'fits'
      readonly from: string
      /** One for each wanted: the address to send, or why this one cannot be sent. */
      readonly to: readonly (string | Refusal)[]
      readonly sayEightBit: boolean
      readonly saySmtputf8: boolean
    }

const NON_ASCII_ADDRESS: Refusal = { status: '5.6.7', reason: 'the next host takes no non-ASCII addresses (SMTPUTF8)' }

export function fit(wanted: Wanted, offered: Offered): Fit {
  const { facts } = wanted
  if (offered.size > 0 && facts.size > offered.size) {
    const reason = `the message has ${facts.size} bytes, the next host takes ${offered.size}`
    return { is: 'refused', refusal: { status: '5.3.4', reason } }
  }
  if (facts.eightBit && !offered.eightBitMime)
    return { is: 'refused', refusal: { status: '5.6.3', reason: 'the next host takes no 8-bit content (8BITMIME)' } }
  // Addresses that only look international are plain: most mail ends here.
  if (!wanted.smtputf8 && isAscii(wanted.from) && wanted.to.every(isAscii))
    return { is: 'fits', from: wanted.from, to: wanted.to, sayEightBit: facts.eightBit, saySmtputf8: false }
  if (offered.smtputf8) {
    const needed = !isAscii(wanted.from) || !wanted.to.every(isAscii) || (wanted.smtputf8 && facts.eightBitHeader)
    return { is: 'fits', from: wanted.from, to: wanted.to, sayEightBit: facts.eightBit, saySmtputf8: needed }
  }
  if (wanted.smtputf8 && facts.eightBitHeader) {
    const reason = 'the next host takes no international header (SMTPUTF8)'
    return { is: 'refused', refusal: { status: '5.6.7', reason } }
  }
  const from = asciiAddress(wanted.from)
  if (from === undefined) return { is: 'refused', refusal: NON_ASCII_ADDRESS }
  const to = wanted.to.map((address) => asciiAddress(address) ?? NON_ASCII_ADDRESS)
  return { is: 'fits', from, to, sayEightBit: facts.eightBit, saySmtputf8: false }
}

/** The same mailbox written in ASCII, if it can be. */
function asciiAddress(address: string): string | undefined {
  if (isAscii(address)) return address
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  const domain = asciiDomain(address.slice(at + 1))
  return at > 0 && domain !== '' && isAscii(local) ? `${local}@${domain}` : undefined
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false
  return true
}
