import { after } from 'node:test'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { streamInfoOf } from '@posthouse/testkit/stream-info'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from 'nats'
import { connectAcceptQueue } from './accept-queue.ts'
import { connectDeliverQueue } from './deliver-queue.ts'
import { makeStreams } from './jetstream/jetstream-store.ts'
import { SILENT } from './log.ts'
import { queueContract } from './queue.contract.ts'

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
    left: async () => {
      let mail = 0
      let later = 0
      let bodies = 0
      for (let partition = 0; partition < PARTITIONS; partition++) {
        mail += (await streamInfoOf(manager, `MAIL_${partition}`)).state.messages
        bodies += (await streamInfoOf(manager, `BODY_${partition}`)).state.messages
        const log = await streamInfoOf(manager, `LOG_${partition}`, { subjects_filter: `log.${partition}.later` })
        later += log.state.subjects?.[`log.${partition}.later`] ?? 0
      }
      return { mail, later, bodies }
    },
    close: async () => {
      for (const close of closing) await close()
    },
  }
})
