/** An edge node on the real queue. */
import { connectAcceptQueue } from '@posthouse/queue/accept-queue'
import type { AcceptObserver, AcceptQueue } from '@posthouse/queue/accept-queue'
import type { ServiceContext } from '@posthouse/runtime/service'
import { StartError } from '@posthouse/runtime/start-error'
import { openEdge } from './edge.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

export async function startEdge(service: Service): Promise<void> {
  const queue = await connect(service)
  await openEdge(service, queue)
}

async function connect({ settings, log, metrics }: Service): Promise<AcceptQueue> {
  const { user, password, servers } = settings.nats
  const observer: AcceptObserver = {
    batchStored(_partition, records, _bytes, ms) {
      metrics.batchRecords.observe(records)
      metrics.publishSeconds.observe(ms / 1000)
    },
    batchRepeated() {
      metrics.publishRepeated.inc()
    },
  }
  try {
    return await connectAcceptQueue({
      servers,
      ...(user === undefined ? undefined : { user }),
      ...(password === undefined ? undefined : { password }),
      name: settings.name,
      partitions: settings.queue.partitions,
      replicas: settings.queue.replicas,
      log,
      observer,
    })
  } catch (error) {
    throw startError(error)
  }
}

/** The queue says which setting is to blame at the beginning of its one line. */
function startError(error: unknown): unknown {
  const match = error instanceof Error ? /^([a-z][A-Za-z.]*)(?:, [a-zA-Z.]+)*: (.*)$/s.exec(error.message) : null
  return match === null ? error : new StartError(match[1] ?? '', match[2] ?? '', { cause: error })
}
