// A look at the streams of a queue that a settings file names (that of a local cluster, or of any service), for readers that
// need more than `posthouse queue` tells. Makes and changes nothing.

import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { api, type ApiAnswer, type StreamInfo } from '@posthouse/queue/jetstream/api'
import { Links } from '@posthouse/queue/jetstream/links'
import { findPartitions } from '@posthouse/queue/jetstream/setup'
import { SILENT } from '@posthouse/queue/log'
import { queueSettings } from '@posthouse/runtime/settings/common'
import { loadSettings } from '@posthouse/runtime/settings/load'
import { parse, stringify } from 'yaml'

const table = {
  'nats.servers': queueSettings['nats.servers'],
  'nats.user': queueSettings['nats.user'],
  'nats.password': queueSettings['nats.password'],
}
export const NAME = 'posthouse-loadtest'
const TRY_MS = 2000
const PAUSE_MS = 250
/** An election takes up to 10 s, a restarted cluster a little longer. */
const PATIENCE_MS = 45_000

export class QueueLink implements AsyncDisposable {
  readonly links: Links
  readonly partitions: number

  private constructor(links: Links, partitions: number) {
    this.links = links
    this.partitions = partitions
  }

  /** Rejects with one line when the file names no queue that can be reached. */
  static async open(queueFile: string): Promise<QueueLink> {
    const links = await Links.open({ ...(await addressIn(queueFile)), name: NAME, log: SILENT })
    try {
      return new QueueLink(links, await findPartitions(links, SILENT))
    } catch (error) {
      await links.close()
      throw error
    }
  }

  /**
   * What the leader of a stream says of it; asked until it answers and hears a majority of the replicas, for one that was
   * cut off from them may know less than what was stored.
   */
  async info(stream: string, request?: object): Promise<StreamInfo> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const answer: ApiAnswer<StreamInfo> = await api(this.links, `STREAM.INFO.${stream}`, request, TRY_MS)
      if (answer.is === 'ok' && hearsMajority(answer.value)) return answer.value
      if (performance.now() > deadline) throw new Error(`stream ${stream} does not answer`)
      await sleep(PAUSE_MS)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.links.close()
  }
}

function hearsMajority({ config, cluster }: StreamInfo): boolean {
  const current = cluster?.replicas?.filter((replica) => replica.current && replica.offline !== true).length ?? 0
  return (1 + current) * 2 > config.num_replicas
}

export async function addressIn(queueFile: string) {
  const found = parse(await readFile(queueFile, 'utf8')) as { readonly nats?: unknown } | null
  // What else a service has to set is no business of ours, and unknown to our table.
  const file = { name: queueFile, text: stringify({ nats: found?.nats ?? {} }) }
  const loaded = loadSettings(table, { file, environment: {}, readFile: (path) => readFileSync(path, 'utf8') })
  if (!loaded.ok) throw new Error(`${queueFile}: ${loaded.errors.join('; ')}`)
  const { servers, user, password } = loaded.settings.nats
  return {
    servers,
    ...(user === undefined ? undefined : { user }),
    ...(password === undefined ? undefined : { password }),
  }
}
