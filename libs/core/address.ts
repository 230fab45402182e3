/**
 * Paths and mailboxes of the envelope (RFC 5321 4.1.2, RFC 6531): parsed, never rewritten. The local part belongs to its
 * host alone and is kept to the byte; a domain is compared ignoring case and sent as it was written, xn-- included.
 */

export interface Mailbox {
  /** As written, without angle brackets and source route; '' is the null path. */
  readonly address: string
  readonly local: string
  /** As written; '' for the null path and for the bare postmaster. */
  readonly domain: string
  /** Needs SMTPUTF8. */
  readonly international: boolean
}

/** A path with what follows it on the command line (the parameters). */
export type PathResult = { readonly mailbox: Mailbox; readonly rest: string } | { readonly invalid: string }

// A path is at most 256 octets with its brackets. The 64 octets of a local part are not enforced: forwarders that
// encode a whole address into one (SRS, VERP) exceed them and every large receiver takes it.
const longestAddress = 254
const longestDomain = 255

const plainAscii = /^<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+)@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)>(?: +(.*))?$/
// Invisible characters that make two addresses look alike, C1 controls, and what broken UTF-8 is decoded to.
const unsafe = /[\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffd]/
const nonAscii = /[^\x00-\x7f]/

const nullMailbox: Mailbox = { address: '', local: '', domain: '', international: false }

/** Parses "<local@domain> PARAMETERS". `null` and the bare postmaster are for the caller to judge. */
export function parsePath(text: string): PathResult {
  const plain = plainAscii.exec(text)
  if (plain !== null) {
    const local = plain[1] ?? ''
    const domain = plain[2] ?? ''
    const wrong = checkDomain(domain) ?? checkLength(local, domain)
    if (wrong !== undefined) return { invalid: wrong }
    return { mailbox: { address: `${local}@${domain}`, local, domain, international: false }, rest: plain[3] ?? '' }
  }
  if (!text.startsWith('<')) return { invalid: 'the path must be in angle brackets' }
  const end = closingBracket(text)
  if (end < 0) return { invalid: 'the path has no closing bracket' }
  const after = text.slice(end + 1)
  if (after !== '' && !after.startsWith(' ')) return { invalid: 'no space after the path' }
  const rest = after.trim()
  const path = withoutRoute(text.slice(1, end))
  if (path === undefined) return { invalid: 'bad source route' }
  if (path === '') return { mailbox: nullMailbox, rest }
  if (path.toLowerCase() === 'postmaster') {
    return { mailbox: { address: path, local: path, domain: '', international: false }, rest }
  }
  const mailbox = parseMailbox(path)
  return 'invalid' in mailbox ? mailbox : { mailbox, rest }
}

export function parseMailbox(address: string): Mailbox | { readonly invalid: string } {
  if (unsafe.test(address)) return { invalid: 'control or invisible character in the address' }
  const at = address.lastIndexOf('@')
  if (at < 1) return { invalid: 'the address has no local part or no domain' }
  const local = address.slice(0, at)
  const domain = address.slice(at + 1)
  const wrong = checkLocal(local) ?? checkDomain(domain) ?? checkLength(local, domain)
  if (wrong !== undefined) return { invalid: wrong }
  return { address, local, domain, international: nonAscii.test(address) }
}

/** The key under which two recipients of one message are the same: local part to the byte, domain ignoring case. */
export function mailboxKey(mailbox: Mailbox): string {
  return `${mailbox.local}@${mailbox.domain.toLowerCase()}`
}

/** The domain for routing: lower case, U-labels as they are. '' if there is none. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? '' : address.slice(at + 1).toLowerCase()
}

/**
 * May somebody who owns `entry` send as `mailbox`? An entry is an address, a whole domain ("@example.org") or "*".
 * Ownership ignores case: no host gives Anna's mail to anna's neighbour.
 */
export function owns(entry: string, mailbox: Mailbox): boolean {
  if (entry === '*') return true
  const wanted = entry.toLowerCase()
  if (wanted.startsWith('@')) return wanted.slice(1) === mailbox.domain.toLowerCase()
  return wanted === mailbox.address.toLowerCase()
}

/** Is this an entry that `owns` understands? */
export function isOwnership(entry: string): boolean {
  if (entry === '*') return true
  if (entry.startsWith('@')) return checkDomain(entry.slice(1)) === undefined
  return !('invalid' in parseMailbox(entry))
}

function closingBracket(text: string): number {
  let quoted = false
  for (let index = 1; index < text.length; index += 1) {
    const character = text.charAt(index)
    if (quoted && character === '\\') index += 1
    else if (character === '"') quoted = !quoted
    else if (character === '>' && !quoted) return index
    else if (character === '<' && !quoted) return -1
  }
  return -1
}

/** RFC 5321 appendix C: a source route ("@a.example,@b.example:") is taken and ignored. */
function withoutRoute(path: string): string | undefined {
  if (!path.startsWith('@')) return path
  const colon = path.indexOf(':')
  if (colon < 0) return undefined
  const hosts = path.slice(0, colon).split(',')
  const good = hosts.every((host) => host.startsWith('@') && checkDomain(host.slice(1)) === undefined)
  return good ? path.slice(colon + 1) : undefined
}

// Dots may stand anywhere, against RFC 5321: such mailboxes exist (old Japanese carriers) and their hosts take them.
const dotString = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u00a0-\u{10ffff}-]+$/u
const quotedString = /^"(?:[ !#-[\]-~\u00a0-\u{10ffff}]|\\[ -~])*"$/u

function checkLocal(local: string): string | undefined {
  return dotString.test(local) || quotedString.test(local) ? undefined : 'bad local part'
}

const label = /^[A-Za-z0-9_\u00a0-\u{10ffff}](?:[A-Za-z0-9_\u00a0-\u{10ffff}-]*[A-Za-z0-9_\u00a0-\u{10ffff}])?$/u
const ipv4Literal = /^\[(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\])|(?=\]))){4}\]$/
const ipv6Literal = /^\[IPv6:[0-9a-f:.]{2,45}\]$/i

function checkDomain(domain: string): string | undefined {
  if (domain.startsWith('[')) return ipv4Literal.test(domain) || ipv6Literal.test(domain) ? undefined : 'bad literal'
  if (domain.length > longestDomain) return 'the domain is too long'
  const good = domain.split('.').every((part) => part.length <= 63 && label.test(part))
  return good ? undefined : 'bad domain'
}

function checkLength(local: string, domain: string): string | undefined {
  const length = local.length + 1 + domain.length
  // Octets, not characters; counted only where it can matter.
  const octets = length * 4 <= longestAddress ? length : Buffer.byteLength(local) + 1 + Buffer.byteLength(domain)
  return octets > longestAddress ? 'the address is too long' : undefined
}
