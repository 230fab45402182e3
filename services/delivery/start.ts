/** A delivery node on the real queue. */
import { connectDeliverQueue } from '@posthouse/queue/deliver-queue'
import type { DeliverObserver, DeliverQueue } from '@posthouse/queue/deliver-queue'
import type { ServiceContext } from '@posthouse/runtime/service'
import { queueOptions } from '@posthouse/runtime/settings/queue-options'
import { asStartError } from '@posthouse/runtime/start-error'
import { openDelivery } from './delivery.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

export async function startDelivery(service: Service): Promise<void> {
  const queue = await connect(service)
  service.metrics.partitionsOwned.from(() => queue.owned().filter(({ phase }) => phase === 'owning').length)
  await openDelivery(service, queue)
}

async function connect({ settings, log, metrics }: Service): Promise<DeliverQueue> {
  const seconds = {
    outcome: metrics.entrySeconds.with({ kind: 'outcome' }),
    later: metrics.entrySeconds.with({ kind: 'later' }),
  }
  const observer: DeliverObserver = {
    entryStored: (kind, _header, ms) => seconds[kind].observe(ms / 1000),
    possibleDuplicates: (tasks) => metrics.possibleDuplicates.inc(tasks),
    eventsLost: (events) => metrics.lostEvents.inc(events),
    bodiesSwept: (bodies) => metrics.sweptBodies.inc(bodies),
  }
  try {
    const { sweepBodiesAfter } = settings.queue
    return await connectDeliverQueue({ ...queueOptions(settings), log, observer, sweepBodiesAfter })
  } catch (error) {
    throw asStartError(error)
  }
}
