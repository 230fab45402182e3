// An admin node on the queue of a local cluster, with an index of its own and a webhook of the test's.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SILENT } from '@posthouse/queue/log'
import { askTrace } from '@posthouse/queue/admin-client'
import type { TraceAnswer } from '@posthouse/queue/trace-port'
import { startChild } from '@posthouse/testkit/child-process'
import { freePort } from '@posthouse/testkit/free-port'
import { parse, stringify } from 'yaml'

const MAIN = join(import.meta.dirname, '../../../services/admin/main.ts')
const HOST = '127.0.0.1'
const LOOK_EVERY_MS = 200
const PATIENCE_MS = 10_000

export interface AdminNode {
  /** Of its metrics. */
  readonly url: string
  /** Asks for the stories of messages, as `posthouse trace` does. */
  readonly ask: (query: string) => Promise<TraceAnswer>
  readonly stop: () => Promise<void>
}

interface QueueFile {
  readonly nats: { readonly servers: readonly string[]; readonly user: string; readonly passwordFile: string }
}

/** Resolves when it is ready. `cluster` is the folder that the cluster has its settings in. Throws when it ends before. */
export async function startAdminNode(name: string, cluster: string, webhook: string): Promise<AdminNode> {
  const folder = join(cluster, name)
  await mkdir(folder)
  const [settings, secret, output] = ['settings.yaml', 'secret', 'output'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(secret, 'a secret that nobody else knows', { mode: 0o600 })
  const port = await freePort(HOST)
  const queue = parse(await readFile(join(cluster, 'queue.yaml'), 'utf8')) as QueueFile
  await writeFile(
    settings,
    stringify({
      name,
      hostname: `${name}.posthouse.example`,
      http: { host: HOST, port },
      ...queue,
      data: { folder },
      webhooks: [{ name: 'receiver', url: webhook, secretFile: secret }],
    }),
    { mode: 0o600 },
  )
  const child = await startChild(process.execPath, [MAIN, '--config', settings], { output })
  const isReady = () =>
    fetch(`http://${HOST}:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) {
    if (!child.running) throw new Error(`the admin node has ended:\n${await readFile(output, 'utf8')}`)
    await sleep(LOOK_EVERY_MS)
  }
  const { servers, user, passwordFile } = queue.nats
  const password = (await readFile(passwordFile, 'utf8')).trim()
  const access = { servers, user, password, name: 'test', log: SILENT, patienceMs: PATIENCE_MS }
  return {
    url: `http://${HOST}:${port}/metrics`,
    ask: (query) => askTrace(access, { query, limit: 10 }),
    stop: async () => void (await child.stop()),
  }
}
