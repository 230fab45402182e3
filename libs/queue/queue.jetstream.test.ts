import { after } from 'node:test'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from 'nats'
import { connectAcceptQueue } from './accept-queue.ts'
import { connectDeliverQueue } from './deliver-queue.ts'
import { makeStreams } from './jetstream/jetstream-store.ts'
import { SILENT } from './log.ts'
import { queueContract } from './queue.contract.ts'
import { leftInStreams } from './test/streams-left.ts'

const PARTITIONS = 2

let cluster: Promise<NatsCluster> | undefined
let connection: NatsConnection | undefined
let made: Promise<void> | undefined
after(async () => {
  await connection?.close()
  await (await cluster)?.stop()
})

queueContract('JetStream, three servers', async () => {
  const { servers, user, password } = await (cluster ??= NatsCluster.start({ servers: 3 }))
  connection ??= await connect({ servers: [...servers], user, pass: password })
  const manager = await jetstreamManager(connection)
  const options = { servers, user, password, partitions: PARTITIONS, replicas: 3, log: SILENT, holdRemovedMs: 0 }
  made ??= makeStreams({ ...options, name: 'first' })
  await made
  const closing: (() => Promise<void>)[] = []
  return {
    edge: async () => {
      const edge = await connectAcceptQueue({ ...options, name: 'edge' })
      closing.push(() => edge.close())
      return edge
    },
    node: async (name, more) => {
      const node = await connectDeliverQueue({ ...options, ...more, name })
      closing.push(() => node.stop(5_000))
      return node
    },
    left: () => leftInStreams(manager, PARTITIONS),
    close: async () => {
      for (const close of closing) await close()
    },
  }
})
