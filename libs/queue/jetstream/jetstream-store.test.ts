import { after } from 'node:test'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { SILENT } from '../log.ts'
import { CONTRACT_PARTITIONS, storeContract } from '../store.contract.ts'
import type { Store } from '../store.ts'
import { connectStore } from './jetstream-store.ts'

const closing: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closing.reverse()) await close()
})

storeContract('three NATS servers', async () => {
  const cluster = await NatsCluster.start({ servers: 3 })
  closing.push(() => cluster.stop())
  const open = (name: string): Promise<Store> =>
    connectStore({
      servers: cluster.servers,
      user: cluster.user,
      password: cluster.password,
      name,
      partitions: CONTRACT_PARTITIONS,
      replicas: 3,
      log: SILENT,
      holdRemovedMs: 0,
    })
  // Both at once: the set-up of two nodes races.
  const [store, other] = await Promise.all([open('a'), open('b')])
  closing.push(
    () => store.close(),
    () => other.close(),
  )
  return { store, other }
})
