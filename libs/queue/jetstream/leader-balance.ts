/**
 * Keeps the leaders of the streams spread over the servers. A server that comes back leads nothing; after a few restarts one server may
 * lead all, and its death would stop every partition for the time of an election. Each partition has its place by its number,
 * the same for all who reckon it, and the three streams of a partition lead at one server, so that a lost server
 * touches as few partitions as possible. A leader is moved only to a replica that has been up to date for a while.
 */
import type { QueueLog } from '../log.ts'
import { api, type StreamInfo } from './api.ts'
import type { Links } from './links.ts'

/** The place must have been fit for so long. */
const SETTLED_MS = 4000
const AGAIN_AFTER_MS = 10_000
const REQUEST_MS = 2000

export class LeaderBalance {
  readonly #links: Links
  readonly #log: QueueLog
  readonly #fitSince = new Map<string, number>()

  constructor(links: Links, log: QueueLog) {
    this.#links = links
    this.#log = log
  }

  /** Looks at one answer of a stream's leader. Two nodes that move the same one at once do no harm: the second is refused. */
  consider(partition: number, { config, cluster }: StreamInfo): void {
    const stream = config.name
    const place = placeOf(partition, cluster)
    if (place === undefined) {
      this.#fitSince.delete(stream)
      return
    }
    const now = performance.now()
    const since = this.#fitSince.get(stream)
    if (since === undefined) this.#fitSince.set(stream, now)
    else if (now - since >= SETTLED_MS) {
      this.#fitSince.set(stream, now + AGAIN_AFTER_MS)
      void this.#move(stream, place)
    }
  }

  async #move(stream: string, place: string): Promise<void> {
    const body = { placement: { preferred: place } }
    const answer = await api(this.#links, `STREAM.LEADER.STEPDOWN.${stream}`, body, REQUEST_MS)
    if (answer.is === 'ok') this.#log.debug({ stream, server: place }, 'leader moved')
  }
}

/** Where the leader should be, if that is elsewhere and the replica there is up to date. */
export function placeOf(partition: number, cluster: StreamInfo['cluster']): string | undefined {
  if (cluster?.leader === undefined || cluster.leader === '' || cluster.replicas === undefined) return undefined
  const names = [cluster.leader, ...cluster.replicas.map(({ name }) => name)].sort()
  const place = names[partition % names.length]
  const replica = cluster.replicas.find(({ name }) => name === place)
  return replica?.current === true && replica.offline !== true && (replica.lag ?? 0) === 0 ? place : undefined
}
