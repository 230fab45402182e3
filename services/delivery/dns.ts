/**
 * Asks the DNS for what routing needs. Tells apart what the DNS says (no such name, nothing of that type) from not
 * getting an answer: only the former may ever return mail.
 */
import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { AddressAnswer, MxAnswer } from '@posthouse/core/route'
import { DnsCache } from './dns-cache.ts'
import type { Timed } from './dns-cache.ts'

export interface Dns {
  mx(domain: string): Promise<MxAnswer>
  v4(host: string): Promise<AddressAnswer>
  v6(host: string): Promise<AddressAnswer>
  /** As any program of this machine would find it (hosts file, search domains): for configured hosts. */
  machine(host: string): Promise<AddressAnswer>
}

export interface DnsOptions {
  /** "address:port"; empty: those of the machine. */
  readonly servers: readonly string[]
  readonly timeout: number
  readonly cacheFor: number
  readonly now: () => number
  /** Told of every question that was really asked. */
  readonly onAnswer?: (type: DnsQuestion, is: DnsAnswer['is']) => void
}

export type DnsQuestion = 'mx' | 'v4' | 'v6' | 'machine'
type DnsAnswer = MxAnswer | AddressAnswer

/** How long a "no" is kept; the DNS says it in a record that node does not hand out. */
const NO_MS = 60_000
const FAILURE_MS = 5000

type Negative = Exclude<AddressAnswer, { is: 'found' }>

export function createDns(options: DnsOptions): Dns {
  const { servers, cacheFor, now } = options
  const resolver = new Resolver({ timeout: options.timeout, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  const mxCache = new DnsCache<MxAnswer>(now)
  const addressCache = new DnsCache<AddressAnswer>(now)

  const found = <T>(answer: T, seconds: number): Timed<T> => ({ answer, keepFor: Math.min(seconds * 1000, cacheFor) })
  const negative = (error: unknown): Timed<Negative> => {
    const answer = negativeAnswer(error)
    return { answer, keepFor: Math.min(answer.is === 'failed' ? FAILURE_MS : NO_MS, cacheFor) }
  }

  const mx = async (domain: string): Promise<Timed<MxAnswer>> => {
    try {
      const records = await resolver.resolveMx(domain)
      return found({ is: 'found', records }, Infinity)
    } catch (error) {
      return negative(error)
    }
  }
  const address = async (host: string, family: 4 | 6): Promise<Timed<AddressAnswer>> => {
    try {
      const records = await (family === 4
        ? resolver.resolve4(host, { ttl: true })
        : resolver.resolve6(host, { ttl: true }))
      const ttl = Math.min(...records.map((record) => record.ttl))
      return found({ is: 'found', addresses: records.map((record) => record.address) }, ttl)
    } catch (error) {
      return negative(error)
    }
  }
  const machine = async (host: string): Promise<Timed<AddressAnswer>> => {
    try {
      const records = await lookup(host, { all: true })
      return { answer: { is: 'found', addresses: records.map((record) => record.address) }, keepFor: FAILURE_MS }
    } catch (error) {
      return { answer: negativeAnswer(error), keepFor: 1000 }
    }
  }

  const told = async <T extends DnsAnswer>(type: DnsQuestion, asked: Promise<Timed<T>>): Promise<Timed<T>> => {
    const timed = await asked
    options.onAnswer?.(type, timed.answer.is)
    return timed
  }

  return {
    mx: (domain) => mxCache.get(domain, () => told('mx', mx(domain))),
    v4: (host) => addressCache.get(`4 ${host}`, () => told('v4', address(host, 4))),
    v6: (host) => addressCache.get(`6 ${host}`, () => told('v6', address(host, 6))),
    machine: (host) =>
      isIP(host) !== 0
        ? Promise.resolve({ is: 'found', addresses: [host] })
        : addressCache.get(`= ${host}`, () => told('machine', machine(host))),
  }
}

function negativeAnswer(error: unknown): Negative {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  switch (code) {
    // EBADNAME: it cannot even be asked for, so nobody can have it.
    case 'ENOTFOUND':
    case 'EBADNAME':
      return { is: 'no such name' }
    case 'ENODATA':
      return { is: 'none' }
    case 'ETIMEOUT':
      return { is: 'failed', reason: 'the DNS does not answer' }
    case 'ESERVFAIL':
      return { is: 'failed', reason: 'the DNS answers SERVFAIL' }
    default:
      return { is: 'failed', reason: `the DNS look-up failed (${code})` }
  }
}
