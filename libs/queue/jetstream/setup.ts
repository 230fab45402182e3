/**
 * Makes the streams that are missing and checks those that exist. Any number of nodes may do so at once. Ends with an Error
 * of one line, naming the setting, where the configuration does not fit; waits, within bounds and saying so, where the
 * cluster only needs time (elections, servers that are still starting).
 */
import { MAX_BATCH_BYTES } from '@posthouse/core/batch-codec'
import { MAX_ENTRY_HEADER } from '@posthouse/core/text-table'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueueLog } from '../log.ts'
import { api, CODE, streamInfo, type AccountInfo, type ApiAnswer, type StreamConfig } from './api.ts'
import { forbiddenError } from './connect-error.ts'
import type { Links } from './links.ts'
import { leastStorage, streamConfigs, type StoreLimits } from './stream-settings.ts'

export const LEAST_SERVER = [2, 15] as const
/** How long a node waits at its start, if nothing else is said. */
export const PATIENCE_MS = 45_000
const RETRY_MS = 300
const REQUEST_MS = 3000
/** Stream creation includes the election of its first leader. */
const CREATE_MS = 10_000

export interface SetupOptions {
  readonly partitions: number
  readonly replicas: number
  readonly limits: StoreLimits
  readonly log: QueueLog
  /** How long to wait for a cluster that is still starting. */
  readonly patienceMs?: number
}

export function setUp(links: Links, options: SetupOptions): Promise<void> {
  return withPatience(options, (patience) => setUpWith(links, options, patience))
}

/** For those who may not make streams: waits until others have made them, and checks them. */
export function awaitSetUp(links: Links, options: SetupOptions): Promise<void> {
  return withPatience(options, async (patience) => {
    for (const configs of await begin(links, options, patience)) {
      await Promise.all(configs.map((config) => awaitStream(links, config, patience)))
    }
  })
}

async function withPatience(options: SetupOptions, work: (patience: Patience) => Promise<void>): Promise<void> {
  const patience = new Patience(options.log, options.patienceMs ?? PATIENCE_MS)
  try {
    await work(patience)
  } finally {
    patience.end() // for those still waiting beside the one that failed
  }
}

/**
 * For those who only look: makes and changes nothing, and says how many partitions there are. Waits until there are at least
 * so many, if it is said; else there have to be some.
 */
export async function findPartitions(
  links: Links,
  log: QueueLog,
  patienceMs = PATIENCE_MS,
  atLeast?: number,
): Promise<number> {
  const patience = new Patience(log, patienceMs)
  checkServer(links)
  await waitForJetStream(links, patience)
  let partitions = await countPartitions(links, patience)
  while (atLeast !== undefined && partitions < atLeast) {
    await patience.wait(
      'the delivery nodes have not made all streams yet',
      `queue.partitions: ${atLeast}, but the queue has ${partitions}, and no delivery node has made more`,
    )
    partitions = await countPartitions(links, patience)
  }
  if (partitions === 0) throw new Error('nats.servers: there is no queue on these servers (no node has made it yet)')
  return partitions
}

/** What is to be checked before any stream, and the streams there should be. */
async function begin(links: Links, options: SetupOptions, patience: Patience): Promise<StreamConfig[][]> {
  checkServer(links)
  checkOptions(options)
  await waitForJetStream(links, patience)
  await checkPartitions(links, options.partitions, patience)
  return Array.from({ length: options.partitions }, (_, partition) =>
    streamConfigs(partition, options.partitions, options.replicas, options.limits),
  )
}

async function setUpWith(links: Links, options: SetupOptions, patience: Patience): Promise<void> {
  const all = await begin(links, options, patience)
  // What exists first: making it smaller may make the room that the missing ones need.
  for (const configs of all)
    await Promise.all(configs.map((config) => ensureStream(links, config, patience, 'existing')))
  for (const configs of all) await Promise.all(configs.map((config) => ensureStream(links, config, patience, 'all')))
}

function checkServer(links: Links): void {
  const info = links.info
  if (info === undefined) return
  const [major = 0, minor = 0] = info.version.split('.').map(Number)
  if (major < LEAST_SERVER[0] || (major === LEAST_SERVER[0] && minor < LEAST_SERVER[1])) {
    throw new Error(
      `nats.servers: nats-server ${info.version} at ${info.host}:${info.port} is too old, ` +
        `needed is ${LEAST_SERVER.join('.')} or newer (older ones do not sync every write to disk)`,
    )
  }
  const largest = MAX_BATCH_BYTES + MAX_ENTRY_HEADER + 1024
  if (info.max_payload < largest) {
    throw new Error(`nats.servers: max_payload of the NATS servers is ${info.max_payload}, needed is ${largest}`)
  }
}

function checkOptions({ partitions, limits }: SetupOptions): void {
  const least = leastStorage(partitions)
  if (limits.storage < least) {
    throw new Error(
      `queue.storage: ${limits.storage} bytes are too few for ${partitions} partitions, at least ${least}`,
    )
  }
}

async function waitForJetStream(links: Links, patience: Patience): Promise<void> {
  for (;;) {
    const answer = allowed(await api<AccountInfo>(links, 'INFO', undefined, REQUEST_MS))
    if (answer.is === 'ok') return
    if (answer.is === 'error' && answer.code === CODE.notEnabledForAccount) {
      throw new Error('nats.user: JetStream is not enabled for this account of the NATS servers')
    }
    const off = answer.is === 'error' && answer.code === CODE.notEnabled && links.info?.jetstream !== true
    if (off) throw new Error('nats.servers: JetStream is off on the NATS servers (a jetstream block is missing)')
    await patience.wait('the JetStream cluster has no leader yet', 'nats.servers: JetStream does not answer')
  }
}

async function checkPartitions(links: Links, partitions: number, patience: Patience): Promise<void> {
  const existing = await countPartitions(links, patience)
  if (existing <= partitions) return
  throw new Error(`queue.partitions: ${partitions}, but the queue has ${existing}: partitions can only be added`)
}

async function countPartitions(links: Links, patience: Patience): Promise<number> {
  for (;;) {
    const request = { subject: 'mail.>' }
    const answer = allowed(await api<{ streams: string[] | null }>(links, 'STREAM.NAMES', request, REQUEST_MS))
    if (answer.is === 'ok') {
      const numbers = (answer.value.streams ?? []).map((name) => Number(/^MAIL_(\d+)$/.exec(name)?.[1] ?? -1))
      return Math.max(-1, ...numbers) + 1
    }
    await patience.wait('the JetStream cluster has no leader yet', 'nats.servers: JetStream does not answer')
  }
}

/** While several nodes make the same stream, the servers count its room once for each of them: only a lasting no is one. */
const REFUSALS = 4

async function ensureStream(
  links: Links,
  config: StreamConfig,
  patience: Patience,
  which: 'existing' | 'all',
): Promise<void> {
  for (let refusals = 0; ;) {
    const found = allowed(await streamInfo(links, config.name, REQUEST_MS))
    if (found.is === 'ok') {
      const change = compare(config, found.value.config)
      if (change === 'same') return
      const wanted = { ...found.value.config, ...config }
      const updated = allowed(await api(links, `STREAM.UPDATE.${config.name}`, wanted, CREATE_MS))
      if (updated.is === 'ok') return
      if (updated.is === 'error' && ++refusals >= REFUSALS) refuse(config, updated.code, updated.text)
    } else if (found.is === 'error' && found.code === CODE.streamNotFound) {
      if (which === 'existing') return
      const made = allowed(await api(links, `STREAM.CREATE.${config.name}`, config, CREATE_MS))
      if (made.is === 'ok') return
      // 10058: another node was faster; what it made is checked in the next round.
      if (made.is === 'error' && made.code !== CODE.nameInUse && ++refusals >= REFUSALS) {
        refuse(config, made.code, made.text)
      }
      patience.lastText = made.is === 'error' ? made.text : 'no answer'
    }
    await patience.wait(`stream ${config.name} has no leader yet`, `queue: stream ${config.name} cannot be set up`)
  }
}

async function awaitStream(links: Links, config: StreamConfig, patience: Patience): Promise<void> {
  for (;;) {
    const found = allowed(await streamInfo(links, config.name, REQUEST_MS))
    if (found.is === 'ok') {
      // How many copies there are is the delivery nodes' business: they may be adding some.
      compare({ ...config, num_replicas: found.value.config.num_replicas }, found.value.config)
      return
    }
    const missing = found.is === 'error' && found.code === CODE.streamNotFound
    await patience.wait(
      missing ? 'no delivery node has made all streams of the queue yet' : `stream ${config.name} has no leader yet`,
      `queue.partitions: stream ${config.name} is not there`,
    )
  }
}

/** Time does not give a user more rights. */
function allowed<T>(answer: ApiAnswer<T>): ApiAnswer<T> {
  if (answer.is === 'error' && answer.code === CODE.forbidden) throw forbiddenError(answer.text)
  return answer
}

/** Throws where a change would lose something or cannot be made; else says whether there is one. */
function compare(wanted: StreamConfig, found: StreamConfig): 'same' | 'changed' {
  const name = wanted.name
  // More copies are made while mail flows; fewer would take safety from mail that was accepted with more.
  if (found.num_replicas > wanted.num_replicas) {
    throw new Error(
      `queue.replicas: ${wanted.num_replicas}, but stream ${name} has ${found.num_replicas}: ` +
        `replicas are only added here (fewer: nats stream edit --replicas, then the setting)`,
    )
  }
  for (const key of ['retention', 'storage', 'max_age'] as const) {
    if (found[key] !== wanted[key]) {
      throw new Error(`queue: stream ${name} exists with ${key} ${found[key]}, needed is ${wanted[key]}`)
    }
  }
  if (found.subjects.join() !== wanted.subjects.join()) {
    throw new Error(`queue: stream ${name} exists with subjects ${found.subjects.join()}: it belongs to somebody else`)
  }
  const same = (['num_replicas', 'max_bytes', 'duplicate_window', 'allow_direct', 'discard'] as const).every(
    (key) => found[key] === wanted[key],
  )
  return same ? 'same' : 'changed'
}

/** Errors that time does not cure. */
function refuse(config: StreamConfig, code: number, text: string): void {
  switch (code) {
    case CODE.noReplicas:
      throw new Error(
        `queue.replicas: ${config.num_replicas} replicas need a cluster, but this is a single NATS server`,
      )
    case CODE.noStorage:
    case CODE.streamBytesLimit:
    case CODE.accountFull:
      throw new Error(
        `queue.storage: stream ${config.name} of ${config.max_bytes} bytes does not fit the max_file_store ` +
          `(or account limit) of the NATS servers: ${text}`,
      )
    case CODE.noPeers:
      if (/storage/.test(text)) {
        throw new Error(
          `queue.storage: stream ${config.name} of ${config.max_bytes} bytes does not fit the max_file_store ` +
            `of ${config.num_replicas} NATS servers: ${text}`,
        )
      }
  }
}

/** One deadline for the whole set-up, and one line in the log for each thing waited for. */
class Patience {
  lastText = ''
  readonly #log: QueueLog
  readonly #deadline: number
  readonly #ms: number
  readonly #said = new Set<string>()
  #ended = false

  constructor(log: QueueLog, ms: number) {
    this.#log = log
    this.#ms = ms
    this.#deadline = performance.now() + ms
  }

  async wait(what: string, error: string): Promise<void> {
    if (performance.now() > this.#deadline) {
      const last = this.lastText === '' ? '' : ` (${this.lastText})`
      throw new Error(`${error} after ${Math.round(this.#ms / 1000)} s: ${what}${last}`)
    }
    if (!this.#said.has(what)) {
      this.#said.add(what)
      this.#log.info({ error: this.lastText || undefined }, `waiting: ${what}`)
    }
    await sleep(RETRY_MS)
    if (this.#ended) throw new Error(error)
  }

  end(): void {
    this.#ended = true
  }
}
