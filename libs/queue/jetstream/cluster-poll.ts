/**
 * The queue's streams and the servers that hold them, asked every few seconds: what an exporter for NATS would tell of them, as
 * far as the user of this process may ask. Nothing here throws for a lost server; the view then says what was seen last, and
 * who does not answer.
 */
import type { ClusterView } from '../admin-port.ts'
import { api, streamInfo, type AccountInfo, type StreamInfo } from './api.ts'
import { clusterView, type StreamSeen } from './cluster-view.ts'
import type { Links } from './links.ts'
import { bodyStream, logStream, mailStream } from './subjects.ts'

const EVERY_MS = 3000
const REQUEST_MS = 1500
/** One question without an answer may be bad luck. */
const SILENT_ROUNDS = 2

interface Asked {
  readonly name: string
  readonly kind: StreamSeen['kind']
  readonly partition: number
  info: StreamInfo | undefined
  /** Questions in a row without an answer. */
  silent: number
}

export class ClusterPoll {
  readonly #links: Links
  readonly #asked: readonly Asked[]
  readonly #timer: NodeJS.Timeout
  #account: AccountInfo | undefined
  #completeAt = performance.now()
  #running = false

  constructor(links: Links, partitions: number) {
    this.#links = links
    this.#asked = Array.from({ length: partitions }, (_, partition) => [
      asked(mailStream(partition), 'mail', partition),
      asked(logStream(partition), 'log', partition),
      asked(bodyStream(partition), 'body', partition),
    ]).flat()
    this.#timer = setInterval(() => void this.poll(), EVERY_MS).unref()
    void this.poll()
  }

  view(): ClusterView {
    const disconnected = this.#links.disconnected()
    return clusterView({
      ago: performance.now() - this.#completeAt,
      streams: this.#asked.map(({ silent, ...stream }) => ({
        ...stream,
        answers: disconnected === undefined && stream.info !== undefined && silent < SILENT_ROUNDS,
      })),
      account: this.#account,
      connected: this.#links.serverNames,
      disconnected,
    })
  }

  /** One round of questions; at most one is under way. */
  async poll(): Promise<void> {
    if (this.#running) return
    this.#running = true
    const [account, ...answered] = await Promise.all([
      this.#askAccount(),
      ...this.#asked.map((stream) => this.#askStream(stream)),
    ])
    // A round in which nobody answers tells nothing.
    if (account || answered.includes(true)) this.#completeAt = performance.now()
    this.#running = false
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #askStream(stream: Asked): Promise<boolean> {
    const answer = await streamInfo(this.#links, stream.name, REQUEST_MS)
    if (answer.is !== 'ok') {
      stream.silent++
      return false
    }
    stream.info = answer.value
    stream.silent = 0
    return true
  }

  async #askAccount(): Promise<boolean> {
    const answer = await api<AccountInfo>(this.#links, 'INFO', undefined, REQUEST_MS)
    if (answer.is === 'ok') this.#account = answer.value
    return answer.is === 'ok'
  }
}

function asked(name: string, kind: StreamSeen['kind'], partition: number): Asked {
  return { name, kind, partition, info: undefined, silent: 0 }
}
