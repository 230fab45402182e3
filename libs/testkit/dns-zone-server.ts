// A DNS server on loopback that answers from a table, by UDP and TCP: for everything that resolves MX and addresses. What is
// not in the table does not exist (NXDOMAIN). Names may also fail or stay silent, and change while it runs.
//
//   const dns = await DnsZoneServer.start({
//     'example.org': { MX: [[10, 'mx.example.org']], TXT: ['v=spf1 -all'] },
//     'mx.example.org': { A: ['127.0.0.2'], AAAA: ['::1'] },
//     'no-mail.example': { MX: [[0, '.']] },
//     'alias.example': { CNAME: 'example.org' },
//     'ill.example': 'SERVFAIL',
//     'dead.example': 'silent',
//   })
//   resolver.setServers([dns.address])

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv4, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  readQuestion,
  TYPE,
  writeAnswer,
  writeName,
  type Question,
  type RecordType,
  type ResourceRecord,
  type ResponseCode,
} from './dns-message.ts'

export interface Records {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  readonly MX?: readonly (readonly [preference: number, exchange: string])[]
  readonly TXT?: readonly string[]
  readonly CNAME?: string
  readonly PTR?: readonly string[]
}

export type Entry = Records | 'SERVFAIL' | 'REFUSED' | 'silent'

export class DnsZoneServer implements AsyncDisposable {
  /** Every question that came, such as "MX example.org", in order. */
  readonly queries: string[] = []
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #connections = new Set<Socket>()
  readonly #zone = new Map<string, Entry>()

  private constructor(udp: UdpSocket, tcp: Server) {
    this.#udp = udp
    this.#tcp = tcp
  }

  static async start(zone: Readonly<Record<string, Entry>> = {}): Promise<DnsZoneServer> {
    for (let tries = 1; ; tries++) {
      const tcp = createServer().listen(0, '127.0.0.1')
      await once(tcp, 'listening')
      const udp = createSocket('udp4')
      try {
        udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1')
        await once(udp, 'listening')
      } catch (error) {
        tcp.close() // somebody has the same port for UDP: another one
        if (tries === 10) throw error
        continue
      }
      const server = new DnsZoneServer(udp, tcp)
      for (const [name, entry] of Object.entries(zone)) server.set(name, entry)
      server.#serve()
      return server
    }
  }

  /** For `Resolver.setServers`. */
  get address(): string {
    return `127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`
  }

  /** Puts a name into the zone, or changes or (undefined) removes it. */
  set(name: string, entry: Entry | undefined): void {
    const key = name.toLowerCase().replace(/\.$/, '')
    if (entry === undefined) this.#zone.delete(key)
    else this.#zone.set(key, entry)
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #serve(): void {
    this.#udp.on('message', (message, { address, port }) => {
      const question = readQuestion(message)
      const answer = question && this.#answer(question)
      if (question === undefined || answer === undefined) return
      const fits = answer.length <= question.udpSize
      this.#udp.send(fits ? answer : writeAnswer(question, 'NOERROR', [], true), port, address)
    })
    this.#tcp.on('connection', (socket) => this.#converse(socket))
  }

  /** Over TCP every message has its length before it (RFC 1035, 4.2.2). */
  #converse(socket: Socket): void {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('error', () => {})
    let waiting = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk])
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const end = 2 + waiting.readUInt16BE(0)
        const question = readQuestion(waiting.subarray(2, end))
        waiting = waiting.subarray(end)
        const answer = question && this.#answer(question)
        if (answer === undefined) continue
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        socket.write(Buffer.concat([length, answer]))
      }
    })
  }

  #answer(question: Question): Buffer | undefined {
    const type = (Object.keys(TYPE) as RecordType[]).find((name) => TYPE[name] === question.type)
    this.queries.push(`${type ?? question.type} ${question.name}`)
    const records: ResourceRecord[] = []
    let code: ResponseCode = 'NOERROR'
    // Follows aliases; more than a few would be a loop.
    for (let name = question.name, hops = 0; hops < 8; hops++) {
      const entry = this.#zone.get(name)
      if (entry === 'silent') return undefined
      if (typeof entry === 'string') return writeAnswer(question, entry, [])
      if (entry === undefined) {
        if (!this.#hasNamesBelow(name)) code = 'NXDOMAIN'
        break
      }
      if (entry.CNAME !== undefined && type !== 'CNAME') {
        records.push({ name, type: 'CNAME', data: writeName(entry.CNAME) })
        name = entry.CNAME.toLowerCase()
        continue
      }
      if (type !== undefined) records.push(...data(entry, type).map((bytes) => ({ name, type, data: bytes })))
      break
    }
    return writeAnswer(question, code, records)
  }

  /** A name without records, but with names below, exists (RFC 8020). */
  #hasNamesBelow(name: string): boolean {
    return [...this.#zone.keys()].some((other) => other.endsWith(`.${name}`))
  }
}

function data(entry: Records, type: RecordType): Buffer[] {
  switch (type) {
    case 'A':
      return (entry.A ?? []).map(addressBytes)
    case 'AAAA':
      return (entry.AAAA ?? []).map(addressBytes)
    case 'MX':
      return (entry.MX ?? []).map(([preference, exchange]) => {
        const head = Buffer.alloc(2)
        head.writeUInt16BE(preference)
        return Buffer.concat([head, writeName(exchange)])
      })
    case 'TXT':
      return (entry.TXT ?? []).map((text) => {
        const bytes = Buffer.from(text)
        const parts = Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, index) =>
          bytes.subarray(index * 255, index * 255 + 255),
        )
        return Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), part]))
      })
    case 'PTR':
      return (entry.PTR ?? []).map(writeName)
    case 'CNAME':
      return entry.CNAME === undefined ? [] : [writeName(entry.CNAME)]
    default:
      return []
  }
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (!isIPv6(address)) throw new Error(`${address} is no IP address`)
  const [before = '', after] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const tail = after === undefined ? [] : groups(after)
  const zeros = Array<string>(8 - groups(before).length - tail.length).fill('0')
  const words = [...groups(before), ...zeros, ...tail].map((group) => parseInt(group, 16))
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 255]))
}
