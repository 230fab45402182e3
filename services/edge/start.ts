/** An edge node on the real queue. */
import { connectAcceptQueue } from '@posthouse/queue/accept-queue'
import type { AcceptObserver, AcceptQueue } from '@posthouse/queue/accept-queue'
import type { ServiceContext } from '@posthouse/runtime/service'
import { queueOptions } from '@posthouse/runtime/settings/queue-options'
import { asStartError } from '@posthouse/runtime/start-error'
import type { ClusterNetwork } from './cluster-networks.ts'
import { openEdge } from './edge.ts'
import { partitionStates } from './metrics.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

/** `own`: what the process found out about the cluster it runs in. */
export async function startEdge(service: Service, own: readonly ClusterNetwork[]): Promise<void> {
  const queue = await connect(service)
  watch(queue, service)
  await openEdge(service, queue, own)
}

async function connect({ settings, log, metrics }: Service): Promise<AcceptQueue> {
  const refused = {
    full: metrics.recordsRefused.with({ why: 'full' }),
    unavailable: metrics.recordsRefused.with({ why: 'unavailable' }),
  }
  const observer: AcceptObserver = {
    batchStored(_partition, records, _bytes, ms) {
      metrics.batchRecords.observe(records)
      metrics.publishSeconds.observe(ms / 1000)
    },
    batchRepeated() {
      metrics.publishRepeated.inc()
    },
    acceptancesUntold(messages) {
      metrics.untoldAcceptances.inc(messages)
    },
    recordsRefused(why, records) {
      refused[why].inc(records)
    },
  }
  try {
    return await connectAcceptQueue({ ...queueOptions(settings), log, observer })
  } catch (error) {
    throw asStartError(error)
  }
}

/** What the queue tells when it is asked. */
function watch(queue: AcceptQueue, { metrics }: Service): void {
  for (const state of partitionStates) metrics.partitions.with({ state }).from(() => queue.partitions()[state])
  metrics.queueUsed.from(() => queue.partitions().used)
  metrics.waitingMessages.from(() => queue.waiting.records)
  metrics.waitingBytes.from(() => queue.waiting.bytes)
}
