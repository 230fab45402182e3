/**
 * A DNS server for tests: answers MX, A, AAAA and TXT over UDP from a table that may change while it runs. A name that is
 * not in the table does not exist; a name may also fail or never answer.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'

export interface DnsName {
  /** [preference, host]; '' is the null MX. */
  readonly mx?: readonly (readonly [number, string])[]
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly txt?: readonly string[]
  readonly ttl?: number
}
export type DnsEntry = DnsName | 'SERVFAIL' | 'REFUSED' | 'silent'

const TYPES = { 1: 'a', 15: 'mx', 16: 'txt', 28: 'aaaa' } as const
const RESPONSE = 0x8580

export class DnsZone implements AsyncDisposable {
  readonly names = new Map<string, DnsEntry>()
  /** What is said of every other name; undefined: it does not exist. */
  otherwise: DnsEntry | undefined
  /** "mx example.org" of every question, in order. */
  readonly questions: string[] = []
  readonly #socket: Socket

  private constructor(names: Readonly<Record<string, DnsEntry>>) {
    for (const [name, entry] of Object.entries(names)) this.names.set(name, entry)
    this.#socket = createSocket('udp4')
    this.#socket.on('message', (message, from) => {
      const answer = this.#answer(message)
      if (answer !== undefined) this.#socket.send(answer, from.port, from.address)
    })
  }

  static async start(
    names: Readonly<Record<string, DnsEntry>> = {},
    at: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
  ): Promise<DnsZone> {
    const zone = new DnsZone(names)
    zone.#socket.bind(at.port, at.host)
    await once(zone.#socket, 'listening')
    return zone
  }

  /** For the setting dns.servers. */
  get server(): string {
    const { address, port } = this.#socket.address()
    return `${address}:${port}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #answer(query: Buffer): Buffer | undefined {
    const labels: string[] = []
    let at = 12
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
    const question = query.subarray(12, at + 5)
    const type = TYPES[query.readUInt16BE(at + 1) as keyof typeof TYPES]
    const name = labels.join('.').toLowerCase()
    this.questions.push(`${type ?? 'other'} ${name}`)
    const entry = this.names.get(name) ?? this.otherwise
    if (entry === 'silent') return undefined
    if (entry === undefined) return message(query, question, 3, [])
    if (entry === 'SERVFAIL') return message(query, question, 2, [])
    if (entry === 'REFUSED') return message(query, question, 5, [])
    return message(query, question, 0, records(entry, type))
  }
}

function records(entry: DnsName, type: 'a' | 'mx' | 'txt' | 'aaaa' | undefined): Buffer[] {
  const ttl = entry.ttl ?? 300
  switch (type) {
    case 'a':
      return (entry.a ?? []).map((address) => record(1, ttl, Buffer.from(address.split('.').map(Number))))
    case 'aaaa':
      return (entry.aaaa ?? []).map((address) => record(28, ttl, ipv6(address)))
    case 'mx':
      return (entry.mx ?? []).map(([preference, host]) => {
        const number = Buffer.alloc(2)
        number.writeUInt16BE(preference)
        return record(15, ttl, Buffer.concat([number, encodeName(host)]))
      })
    case 'txt':
      return (entry.txt ?? []).map((text) =>
        record(16, ttl, Buffer.concat([Buffer.of(text.length), Buffer.from(text)])),
      )
    case undefined:
      return []
  }
}

function message(query: Buffer, question: Buffer, code: number, answers: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(RESPONSE | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, question, ...answers])
}

/** The owner name is a pointer to the question. */
function record(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ])
}

function ipv6(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...new Array<string>(zeros).fill('0'), ...back]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
