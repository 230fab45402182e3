/**
 * The key under which a message is found by an address or a Message-ID, which look alike, so that one question covers both. It
 * ignores case, in the local part too: who asks for Anna@ means anna@, and the story shows what was written. A domain with
 * U-labels has the key of its A-labels.
 */
import type { MailEvent } from '@posthouse/core/event'
import { asciiDomain } from '@posthouse/core/destination'

/** Of longer ones only the beginning counts. */
const LONGEST = 500

export function lookupKey(text: string): string {
  const bare = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text
  const at = bare.lastIndexOf('@')
  const domain = bare.slice(at + 1)
  const ascii = at < 0 ? domain : asciiDomain(domain) || domain
  return `${bare.slice(0, at + 1)}${ascii}`.toLowerCase().slice(0, LONGEST)
}

/** All keys under which the message of this event is found, as far as the event tells. */
export function keysOf(event: MailEvent): Set<string> {
  const keys = new Set<string>()
  const add = (text: string | undefined): void => {
    if (text !== undefined && text !== '') keys.add(lookupKey(text))
  }
  add(event.sender)
  add(event.acceptance?.messageId)
  for (const { address } of event.recipients) add(address)
  return keys
}
