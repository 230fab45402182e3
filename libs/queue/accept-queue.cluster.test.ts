/** The accept queue on three real servers while the one that leads the partition in use is killed or stopped. */
import assert from 'node:assert/strict'
import { after, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeBatch, encodeBatch } from '@posthouse/core/batch-codec'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { mailRecord } from '@posthouse/testkit/mail-record'
import { acceptQueueOn, type AcceptQueue } from './accept-queue.ts'
import { connectStore } from './jetstream/jetstream-store.ts'
import { SILENT } from './log.ts'
import type { Fate } from './port.ts'
import type { Store } from './store.ts'

const PARTITIONS = 6
const CLIENTS = 20

const CONTENT = Buffer.alloc(4096, 'x')

/** Clients that give a record each, and the next one some milliseconds after its fate. */
class Load {
  readonly fates = new Map<string, Fate>()
  readonly storedAt: number[] = []
  readonly #queues: readonly AcceptQueue[]
  readonly #clients: Promise<void>[] = []
  #stopping = false
  #given = 0

  constructor(queues: readonly AcceptQueue[]) {
    this.#queues = queues
    for (let client = 0; client < CLIENTS; client++) this.#clients.push(this.#client(client))
  }
  async #client(client: number): Promise<void> {
    const queue = this.#queues[client % this.#queues.length] as AcceptQueue
    while (!this.#stopping) {
      const id = `m${++this.#given}`
      const fate = await new Promise<Fate>((resolve) => queue.accept(mailRecord(id, { content: CONTENT }), resolve))
      this.fates.set(id, fate)
      if (fate.is === 'stored') this.storedAt.push(performance.now())
      await sleep(2)
    }
  }
  async stored(more: number): Promise<void> {
    const goal = this.storedAt.length + more
    while (this.storedAt.length < goal) await sleep(5)
  }
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#clients)
  }
  /** The longest time without an acceptance, and when it began. */
  longestGap(): { readonly ms: number; readonly at: number } {
    let longest = { ms: 0, at: 0 }
    for (let n = 1; n < this.storedAt.length; n++) {
      const at = this.storedAt[n - 1] as number
      const ms = (this.storedAt[n] as number) - at
      if (ms > longest.ms) longest = { ms, at }
    }
    return longest
  }
}

/** The server that leads most of the MAIL streams, and which those are. */
async function busiestLeader(cluster: NatsCluster): Promise<{ server: number; partitions: number[] }> {
  const leaders = new Map<string, number[]>()
  const answer = await fetch(`http://127.0.0.1:${cluster.nodes[0]?.ports.monitor}/jsz?streams=true`)
  type Streams = { account_details: { stream_detail: { name: string; cluster: { leader: string } }[] }[] }
  const { account_details } = (await answer.json()) as Streams
  for (const { name, cluster: its } of account_details.flatMap((account) => account.stream_detail)) {
    const partition = /^MAIL_(\d+)$/.exec(name)?.[1]
    if (partition !== undefined) leaders.set(its.leader, [...(leaders.get(its.leader) ?? []), Number(partition)])
  }
  const [name, partitions] = [...leaders].sort(([, a], [, b]) => b.length - a.length)[0] as [string, number[]]
  return { server: cluster.nodes.findIndex((node) => node.name === name), partitions }
}

/** Reads up to a batch of its own: a replica that lags would end earlier. */
async function storedIds(store: Store): Promise<string[]> {
  const ids: string[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const end = await append(store, partition)
    for (let from = 1; from <= end;) {
      const read = await store.readMail(partition, from, 4 * 1024 * 1024)
      if (read.is === 'unanswered') continue
      for (const { payload } of read.batches) ids.push(...decodeBatch(payload).map(({ envelope }) => envelope.id))
      from = (read.batches.at(-1)?.seq ?? from - 1) + 1
    }
  }
  return ids.filter((id) => id !== 'end')
}

async function append(store: Store, partition: number): Promise<number> {
  for (;;) {
    const answer = await store.appendMail(
      partition,
      `end-${partition}`,
      1,
      encodeBatch([mailRecord('end', { content: CONTENT })]),
      2000,
    )
    if (answer.is === 'stored') return answer.seq
    await sleep(100)
  }
}

const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

describe('the accept queue on three NATS servers', { timeout: 180_000 }, () => {
  const faults = [
    ['killed', 'SIGKILL'],
    ['stopped', 'SIGSTOP'],
  ] as const
  for (const [what, signal] of faults) {
    it(`goes on while the server that leads most partitions is ${what}; what it said stays true`, (t) => run(t, signal))
  }
})

async function run(t: TestContext, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const cluster = await NatsCluster.start()
  closing.push(() => cluster.stop())
  const open = (name: string) =>
    connectStore({
      servers: cluster.servers,
      user: cluster.user,
      password: cluster.password,
      name,
      partitions: PARTITIONS,
      replicas: 3,
      log: SILENT,
    })
  let watching = false
  const storedOn = new Set<number>()
  const batchStored = (partition: number) => void (watching && storedOn.add(partition))
  const queues = [
    acceptQueueOn(await open('edge-1'), { observer: { batchStored } }),
    acceptQueueOn(await open('edge-2'), { observer: { batchStored } }),
  ]
  const load = new Load(queues)
  await load.stored(1000)
  const { server, partitions } = await busiestLeader(cluster)
  const faultAt = performance.now()
  await cluster.kill(server, signal)
  // Until an election ends, which takes some seconds, only the other servers' partitions can store anything.
  watching = true
  await sleep(2500)
  watching = false
  await load.stored(1000)
  const healedAt = performance.now()
  if (signal === 'SIGSTOP') await cluster.kill(server, 'SIGCONT')
  else await cluster.start(server)
  await load.stored(1000)
  const gap = load.longestGap()
  await load.stop()
  await cluster.ready()

  const told = (is: Fate['is']) => [...load.fates].filter(([, fate]) => fate.is === is).map(([id]) => id)
  t.diagnostic(
    `${told('stored').length} stored, ${told('refused').length} refused, ${told('unknown').length} unknown;` +
      ` longest gap ${Math.round(gap.ms)} ms, ${Math.round(gap.at - faultAt)} ms after the fault;` +
      ` healed after ${Math.round(healedAt - faultAt)} ms; lost partitions ${partitions.join(',')}, used ${[...storedOn].join(',')}`,
  )
  assert(storedOn.size > 0, 'other partitions took over')
  const reader = await open('reader')
  closing.push(() => reader.close())
  const there = await storedIds(reader)
  const distinct = new Set(there)
  assert.equal(there.length, distinct.size, 'nothing is stored twice')
  assert.deepEqual(told('unknown'), [])
  for (const id of told('stored')) assert(distinct.has(id), `${id} is lost`)
  for (const id of told('refused')) assert(!distinct.has(id), `${id} was refused and is there`)
  await Promise.all(queues.map((queue) => queue.close()))
}
