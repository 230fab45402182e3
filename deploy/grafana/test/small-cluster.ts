// One NATS server, one edge and one delivery node, as `npm start -- --nodes 1 --no-admin` starts them, with all that a test sends
// going to a host of the test's own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTransport } from 'nodemailer'
import { tethered } from '@posthouse/testkit/child-process'
import { freeStretch } from '@posthouse/testkit/free-port'
import type { ClusterFacts } from '../../local/cluster-file.ts'
import { PORTS_USED } from '../../local/ports.ts'

const START = join(import.meta.dirname, '../../local/start.ts')

export interface Mail {
  readonly role: 'relay' | 'submission'
  readonly from: string
  readonly to: readonly string[]
  /** Instead of the user's own; null: no log-in. */
  readonly password?: string | null
}

export class SmallCluster {
  readonly facts: ClusterFacts
  readonly #end: () => Promise<void>

  private constructor(facts: ClusterFacts, end: () => Promise<void>) {
    this.facts = facts
    this.#end = end
  }

  /** Resolves when it takes mail. `collector` is told of all traces; empty: there are none. Throws with what it said when it ends before. */
  static async start(folder: string, smarthost: string, collector = ''): Promise<SmallCluster> {
    const base = String(await freeStretch(PORTS_USED))
    const place = ['--data', folder, '--base-port', base, '--smarthost', smarthost]
    const options = ['--json', '--nodes', '1', '--no-admin', ...place]
    const [program, args] = tethered(process.execPath, [START, ...options], 'SIGTERM')
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, POSTHOUSE_TRACING_ENDPOINT: collector },
    })
    const exited = once(child, 'close')
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    const line = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
    const facts = await Promise.race([line, exited.then(() => undefined)])
    if (facts === undefined) throw new Error(`the cluster ended:\n${log}`)
    return new SmallCluster(JSON.parse(facts) as ClusterFacts, async () => {
      child.kill('SIGTERM')
      await exited
    })
  }

  /** Rejects when the edge refuses. */
  async send({ role, from, to, password }: Mail): Promise<void> {
    const listener = this.facts.smtp.find((one) => one.role === role)
    if (listener === undefined) throw new Error(`no ${role}`)
    const auth = password === null ? {} : { auth: { user: this.facts.user, pass: password ?? this.facts.password } }
    const login = role === 'relay' ? { ignoreTLS: true } : { ...auth, tls: { rejectUnauthorized: false } }
    const transport = createTransport({ host: listener.host, port: listener.port, secure: false, ...login })
    try {
      await transport.sendMail({
        envelope: { from, to: [...to] },
        raw: `From: ${from}\r\nSubject: hello\r\n\r\nHello.\r\n`,
      })
    } finally {
      transport.close()
    }
  }

  stop(): Promise<void> {
    return this.#end()
  }
}
