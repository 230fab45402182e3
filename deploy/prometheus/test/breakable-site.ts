// Three NATS servers and a node of each service as processes of their own, that a test breaks: what goes wrong at a real site.
// Mail to stalled.example has nowhere to go, that to nobody…@ is refused for good, the rest is taken.
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { stringify } from 'yaml'
import { startChild, type Child } from '@posthouse/testkit/child-process'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { freePorts } from '@posthouse/testkit/free-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { checkoutRoot } from '@posthouse/testkit/tool'
import { keepSecrets, type Secrets } from '../../local/secrets.ts'

export type Service = 'edge' | 'delivery' | 'admin'

const HOST = '127.0.0.1'
const PARTITIONS = 2
const LOOK_EVERY_MS = 200
/** So that one certificate file after the other may be replaced, as tools do that know no better. */
const CERTIFICATE = ['certificate.pem', 'certificate.key'] as const

const SECRET = 'webhook-secret'
/** Long enough for a webhook to be seen behind before. */
const GIVE_UP_AFTER = '30s'

interface Ports {
  readonly submission: number
  readonly relay: number
  /** Nobody listens there. */
  readonly nowhere: number
}

export class BreakableSite implements AsyncDisposable {
  readonly nats: NatsCluster
  readonly #folder: string
  readonly #ports: Ports
  readonly #secrets: Secrets
  readonly #authority: TlsAuthority
  readonly #ending: (() => Promise<unknown>)[]
  readonly #nodes = new Map<Service, { readonly child: Child; readonly address: string }>()

  private constructor(
    folder: string,
    nats: NatsCluster,
    ports: Ports,
    secrets: Secrets,
    authority: TlsAuthority,
    ending: (() => Promise<unknown>)[],
  ) {
    this.#folder = folder
    this.nats = nats
    this.#ports = ports
    this.#secrets = secrets
    this.#authority = authority
    this.#ending = ending
  }

  /** Resolves when every node is ready. Throws with what it said when one ends before. */
  static async start(folder: string, services: readonly Service[]): Promise<BreakableSite> {
    const ending: (() => Promise<unknown>)[] = []
    try {
      const nats = await NatsCluster.start()
      ending.push(() => nats.stop())
      const mx = await FakeMx.start({
        answer: ({ verb, line }) => (verb === 'RCPT' && /<nobody/.test(line) ? '550 5.1.1 no such user' : undefined),
      })
      ending.push(() => mx.close())
      await mkdir(folder, { recursive: true })
      const secrets = await keepSecrets(folder)
      await writeFile(secrets.natsPasswordFile, nats.password)
      await writeFile(join(folder, SECRET), randomBytes(24).toString('base64url'))
      const [submission = 0, relay = 0, nowhere = 0, ...http] = await freePorts(3 + services.length)
      const authority = await TlsAuthority.create(folder)
      const site = new BreakableSite(folder, nats, { submission, relay, nowhere }, secrets, authority, ending)
      await site.certificate(30)
      // One after the other: the delivery node makes the streams that the others need.
      for (const [at, service] of services.entries()) await site.#start(service, http[at] ?? 0, mx.port)
      return site
    } catch (error) {
      await end(ending)
      throw error
    }
  }

  /** Where Prometheus finds the nodes. */
  get addresses(): [Service, string][] {
    return [...this.#nodes].map(([service, { address }]) => [service, address])
  }

  /** From a program that may send without a log-in. Rejects when the edge refuses. */
  async send(...to: readonly string[]): Promise<void> {
    const transport = createTransport({ host: HOST, port: this.#ports.relay, ignoreTLS: true })
    const from = 'app@example.org'
    try {
      await transport.sendMail({ envelope: { from, to: [...to] }, raw: `From: ${from}\r\n\r\nHello.\r\n` })
    } finally {
      transport.close()
    }
  }

  /** Rejects, as the password is wrong. */
  async logIn(password: string): Promise<void> {
    const auth = { user: this.#secrets.user, pass: password }
    const transport = createTransport({
      host: HOST,
      port: this.#ports.submission,
      auth,
      tls: { rejectUnauthorized: false },
    })
    try {
      await transport.verify()
    } finally {
      transport.close()
    }
  }

  /** The edge is given another certificate, which is good for so many days. */
  async certificate(days: number): Promise<void> {
    const { certFile, keyFile } = await this.#authority.issue(['edge.example'], days)
    for (const [name, from] of [
      [CERTIFICATE[1], keyFile],
      [CERTIFICATE[0], certFile],
    ] as const) {
      await copyFile(from, this.#path(`${name}.new`))
      await rename(this.#path(`${name}.new`), this.#path(name))
    }
  }

  /** Resolves when it has ended. */
  async kill(service: Service): Promise<void> {
    const child = this.#nodes.get(service)?.child
    if (child === undefined) throw new Error(`no ${service} runs`)
    child.kill('SIGKILL')
    await child.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#ending)
  }

  async #start(service: Service, port: number, mx: number): Promise<void> {
    const config = this.#path(`${service}.yaml`)
    const output = this.#path(`${service}.log`)
    await writeFile(config, stringify({ ...this.#common(service, port), ...this.#own(service, mx) }))
    const main = join(checkoutRoot(), 'services', service, 'main.ts')
    const child = await startChild(process.execPath, [main, '--config', config], { output })
    this.#ending.push(() => child.stop())
    const address = `${HOST}:${port}`
    this.#nodes.set(service, { child, address })
    const isReady = () =>
      fetch(`http://${address}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    while (!(await isReady())) {
      if (!child.running) throw new Error(`${service} has ended:\n${await readFile(output, 'utf8')}`)
      await sleep(LOOK_EVERY_MS)
    }
  }

  #common(service: Service, port: number): object {
    const { servers, user } = this.nats
    return {
      name: `${service}-1`,
      hostname: `${service}.example`,
      http: { host: HOST, port },
      nats: { servers, user, passwordFile: this.#secrets.natsPasswordFile },
      queue: { replicas: 3, partitions: PARTITIONS },
    }
  }

  #own(service: Service, mx: number): object {
    const [certFile, keyFile] = CERTIFICATE.map((name) => this.#path(name))
    const { submission, relay, nowhere } = this.#ports
    switch (service) {
      case 'edge':
        return {
          listeners: [
            { role: 'submission', host: HOST, port: submission },
            { role: 'relay', host: HOST, port: relay, networks: ['127.0.0.0/8'] },
          ],
          tls: { certFile, keyFile },
          usersFile: this.#secrets.usersFile,
        }
      case 'delivery':
        return {
          route: {
            smarthosts: [`${HOST}:${mx}`],
            domains: [{ domain: 'stalled.example', hosts: [`${HOST}:${nowhere}`] }],
          },
          retry: { first: '1h' },
        }
      case 'admin':
        return {
          data: { folder: this.#path('admin') },
          webhooks: [
            { name: 'deaf', url: `http://${HOST}:${nowhere}/`, secretFile: this.#path(SECRET), events: ['bounced'] },
          ],
          webhookRetry: { first: '1s', longest: '2s', giveUpAfter: GIVE_UP_AFTER },
        }
    }
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

async function end(ending: (() => Promise<unknown>)[]): Promise<void> {
  for (const one of ending.splice(0).reverse()) await one()
}
