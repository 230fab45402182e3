/** An edge node on the real queue. */
import { connectAcceptQueue } from '@posthouse/queue/accept-queue'
import type { ServiceContext } from '@posthouse/runtime/service'
import { openEdge } from './edge.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

export async function startEdge(service: ServiceContext<typeof settingsTable, typeof metricsTable>): Promise<void> {
  const { settings, log } = service
  const queue = await connectAcceptQueue({
    servers: settings.nats.servers,
    user: settings.nats.user,
    password: settings.nats.password,
    name: settings.name,
    partitions: settings.queue.partitions,
    replicas: settings.queue.replicas,
    log,
  })
  await openEdge(service, queue)
}
