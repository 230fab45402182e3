/** An edge to which nobody talks, on three real servers: what it says of itself while they die and come back. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { connectAcceptQueue, type AcceptQueue } from './accept-queue.ts'
import { streamInfo, type StreamInfo } from './jetstream/api.ts'
import { makeStreams } from './jetstream/jetstream-store.ts'
import { LeaderBalance } from './jetstream/leader-balance.ts'
import { Links } from './jetstream/links.ts'
import { isReachable } from './jetstream/quorum.ts'
import { SILENT } from './log.ts'

const STREAMS = ['MAIL_0', 'LOG_0', 'BODY_0']
const LOOK_EVERY_MS = 100

interface Site {
  readonly cluster: NatsCluster
  readonly edge: AcceptQueue
  readonly links: Links
}

const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

let opened: Promise<Site> | undefined
const site = () => (opened ??= open())

async function open(): Promise<Site> {
  const cluster = await NatsCluster.start()
  closing.push(() => cluster.stop())
  const { servers, user, password } = cluster
  const options = { servers, user, password, partitions: 1, replicas: 3, log: SILENT }
  await makeStreams({ ...options, name: 'maker' })
  const links = await Links.open({ ...options, name: 'test' })
  closing.push(() => links.close())
  const edge = await connectAcceptQueue({ ...options, name: 'edge' })
  closing.push(() => edge.close())
  return { cluster, edge, links }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(LOOK_EVERY_MS)
}

async function everyStream(links: Links, is: (info: StreamInfo) => boolean): Promise<boolean> {
  const answers = await Promise.all(STREAMS.map((stream) => streamInfo(links, stream, 1000)))
  return answers.every((answer) => answer.is === 'ok' && is(answer.value))
}

/** The first server leads every stream, and the others are up to date. */
async function firstLeads({ links }: Site): Promise<void> {
  const balance = new LeaderBalance(links, SILENT)
  await until(() =>
    everyStream(links, (info) => {
      balance.consider(0, info)
      return info.cluster?.leader === 'nats-1' && info.cluster.replicas?.every(isWell) === true
    }),
  )
}

const isWell = (replica: Parameters<typeof isReachable>[0]) => replica.current && isReachable(replica)

describe('an idle edge on three NATS servers', { timeout: 240_000 }, () => {
  const majorities = [
    ['the leader has lost both followers', [1, 2]],
    ['the leader is among the dead', [0, 1]],
  ] as const
  for (const [what, dead] of majorities) {
    it(`says not ready within 15 s after the majority of servers died, and ready when they are back: ${what}`, async () => {
      const { cluster, edge, links } = await site()
      await firstLeads({ cluster, edge, links })
      await until(() => edge.notReady() === undefined)
      for (const server of dead) await cluster.kill(server)
      await until(() => edge.notReady() !== undefined)
      assert.deepEqual(edge.notReady(), { why: 'unavailable', reason: 'no partition has a leader' })
      for (const server of dead) await cluster.start(server)
      await cluster.ready()
      await until(() => edge.notReady() === undefined)
    })
  }

  it('stays ready while one of three servers is away, and while it comes back', async () => {
    const { cluster, edge, links } = await site()
    await firstLeads({ cluster, edge, links })
    await until(() => edge.notReady() === undefined)
    const said = new Set<unknown>()
    const watching = setInterval(() => said.add(edge.notReady()), LOOK_EVERY_MS)
    await cluster.kill(2)
    await until(() =>
      everyStream(links, ({ cluster: its }) => its?.replicas?.some((one) => !isReachable(one)) === true),
    )
    await cluster.start(2)
    await cluster.ready()
    await until(() => everyStream(links, ({ cluster: its }) => its?.replicas?.every(isWell) === true))
    clearInterval(watching)
    assert.deepEqual([...said], [undefined])
  })
})
