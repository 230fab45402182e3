/**
 * A SOCKS 5 proxy of a test's own making (RFC 1928, RFC 1929): does as the script says, and keeps what it was asked.
 * Without a script it opens what it is asked for and says truly why it could not. It reads the protocol with code of its
 * own, so that a mistake of the client is not made here, too.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export interface SocksRequest {
  /** As its bytes say: "192.0.2.1", or eight groups of IPv6. */
  readonly address: string
  readonly port: number
  readonly kind: 'IPv4' | 'IPv6' | 'name'
  readonly user: string | undefined
}

export type SocksAnswer =
  /** The reply's code; nothing is opened. */
  | { readonly reply: number }
  /** Another place is opened instead. */
  | { readonly leadTo: { readonly host: string; readonly port: number } }
  /** Says nothing any more, or hangs up. */
  | { readonly do: 'hang' | 'drop' }

export interface FakeSocksOptions {
  readonly host?: string
  readonly port?: number
  /** Only who says these is served. */
  readonly login?: { readonly user: string; readonly password: string }
  /** Instead of the choice of a method: bytes, silence, or the end of the connection. */
  readonly welcome?: Buffer | 'hang' | 'drop'
  /** Undefined: it is opened. */
  readonly answer?: ((request: SocksRequest) => SocksAnswer | undefined) | undefined
  /** The reply waits for the first words of the host, and goes out with them in one piece. */
  readonly holdReply?: boolean
}

const SOCKS = 5
const codes: Readonly<Record<string, number>> = { ENETUNREACH: 3, EHOSTUNREACH: 4, ECONNREFUSED: 5, ETIMEDOUT: 6 }

export class FakeSocks implements AsyncDisposable {
  readonly options: FakeSocksOptions
  readonly requests: SocksRequest[] = []
  /** Connections taken so far. */
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #watchers: (() => void)[] = []

  private constructor(options: FakeSocksOptions) {
    this.options = options
    this.#server = createServer((socket) => {
      this.connections += 1
      this.#keep(socket)
      this.#serve(socket).catch(() => socket.destroy())
      this.#changed()
    })
  }

  static async start(options: FakeSocksOptions = {}): Promise<FakeSocks> {
    const proxy = new FakeSocks(options)
    proxy.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  /** For the setting egress.socks. */
  get name(): string {
    return `${this.options.host ?? '127.0.0.1'}:${this.port}`
  }
  /** Connections with clients and hosts that are open now. */
  get open(): number {
    return this.#sockets.size
  }

  /** Resolves as soon as the condition holds; it is looked at whenever something happens here. */
  async until(condition: (proxy: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#changed()
    })
  }

  #changed(): void {
    for (const wake of this.#watchers.splice(0)) wake()
  }

  async #serve(socket: Socket): Promise<void> {
    const { welcome, login, answer } = this.options
    const [version = 0, methods = 0] = await read(socket, 2)
    const offered = await read(socket, methods)
    if (version !== SOCKS) return void socket.destroy()
    if (welcome === 'hang') return
    if (welcome === 'drop') return void socket.end()
    if (welcome !== undefined) return void socket.write(welcome)
    const method = login === undefined ? 0 : 2
    if (!offered.includes(method)) return void socket.end(Buffer.of(SOCKS, 0xff))
    socket.write(Buffer.of(SOCKS, method))
    const user = login === undefined ? undefined : await this.#login(socket, login)
    if (login !== undefined && user === undefined) return
    const request = await readRequest(socket, user)
    this.requests.push(request)
    this.#changed()
    const scripted = answer?.(request)
    if (scripted === undefined) return this.#connect(socket, { host: request.address, port: request.port })
    if ('leadTo' in scripted) return this.#connect(socket, scripted.leadTo)
    if ('reply' in scripted) socket.end(replyBytes(scripted.reply))
    else if (scripted.do === 'drop') socket.end()
  }

  async #login(socket: Socket, { user, password }: { user: string; password: string }): Promise<string | undefined> {
    const [, userLength = 0] = await read(socket, 2)
    const name = (await read(socket, userLength)).toString()
    const [passwordLength = 0] = await read(socket, 1)
    const secret = (await read(socket, passwordLength)).toString()
    const isRight = name === user && secret === password
    if (isRight) socket.write(Buffer.of(1, 0))
    else socket.end(Buffer.of(1, 1))
    return isRight ? name : undefined
  }

  async #connect(client: Socket, to: { readonly host: string; readonly port: number }): Promise<void> {
    const host = connect(to)
    this.#keep(host)
    client.on('close', () => host.destroy())
    try {
      await once(host, 'connect')
    } catch (error) {
      client.end(replyBytes(codes[(error as NodeJS.ErrnoException).code ?? ''] ?? 1))
      return
    }
    host.on('close', () => client.destroy())
    if (this.options.holdReply === true) client.write(Buffer.concat([replyBytes(0), (await once(host, 'data'))[0]]))
    else client.write(replyBytes(0))
    client.pipe(host)
    host.pipe(client)
  }
}

async function readRequest(socket: Socket, user: string | undefined): Promise<SocksRequest> {
  const [, , , kind = 0] = await read(socket, 4)
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(socket, 1))[0] ?? 0)
  const bytes = await read(socket, length)
  const port = (await read(socket, 2)).readUInt16BE(0)
  if (kind === 1) return { address: bytes.join('.'), port, kind: 'IPv4', user }
  if (kind !== 4) return { address: bytes.toString(), port, kind: 'name', user }
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16))
  return { address: groups.join(':'), port, kind: 'IPv6', user }
}

function replyBytes(code: number): Buffer {
  return Buffer.of(SOCKS, code, 0, 1, 0, 0, 0, 0, 0, 0)
}

/** Exactly so many bytes. Throws when the connection ends before. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  while (length > 0) {
    const bytes: unknown = socket.read(length)
    if (Buffer.isBuffer(bytes) && bytes.length === length) return bytes
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error('the client is gone')
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['readable', 'end', 'close']) socket.off(event, done)
        resolve()
      }
      for (const event of ['readable', 'end', 'close']) socket.on(event, done)
    })
  }
  return Buffer.alloc(0)
}
