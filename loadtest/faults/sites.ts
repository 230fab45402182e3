// The far ends of the mail: some destinations, each with an MX host of its own that takes what it is given and writes it down,
// and a DNS server that names them. How a site or the DNS behaves can be changed while mail flows.

import type { Arrival } from '../history.ts'

export interface SiteBehaviour {
  /** At every nth final dot: answer 451, never answer (the message was not taken), or drop the connection. */
  readonly tempfailEvery?: number
  readonly hangEvery?: number
  readonly dropEvery?: number
  /** Whether what is dropped at the dot was taken all the same. */
  readonly dropTakes?: boolean
  /** Every nth recipient is answered 451. */
  readonly tempfailRecipientEvery?: number
  /** Takes connections and never says a word. */
  readonly silent?: boolean
}

export type DnsBehaviour =
  | 'right'
  | 'silent'
  | 'SERVFAIL'
  /** MX hosts that do not exist, and an address where nobody listens. */
  | 'lies'

export interface Sites extends AsyncDisposable {
  /** Domains of the recipients, one per site; mail to `refused.…` addresses there bounces. */
  readonly domains: readonly string[]
  behave(domain: string, behaviour: SiteBehaviour): void
  dns(behaviour: DnsBehaviour): void
  /** Everything as it was in the beginning; connections that hang are dropped. */
  heal(): void
}

export interface SitesOptions {
  readonly addresses: readonly string[]
  readonly port: number
  readonly dns: { readonly host: string; readonly port: number }
  /** Whose address a connection comes from, for Arrival.from. */
  readonly nameOf: (address: string) => string | undefined
  readonly record: (arrival: Arrival) => void
}
