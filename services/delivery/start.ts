/** A delivery node on the real queue. */
import { connectDeliverQueue } from '@posthouse/queue/deliver-queue'
import type { DeliverObserver, DeliverQueue } from '@posthouse/queue/deliver-queue'
import type { ServiceContext } from '@posthouse/runtime/service'
import { StartError } from '@posthouse/runtime/start-error'
import { openDelivery } from './delivery.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

export async function startDelivery(service: Service): Promise<void> {
  await openDelivery(service, await connect(service))
}

async function connect({ settings, log, metrics }: Service): Promise<DeliverQueue> {
  const { user, password, servers } = settings.nats
  const seconds = {
    outcome: metrics.entrySeconds.with({ kind: 'outcome' }),
    later: metrics.entrySeconds.with({ kind: 'later' }),
  }
  const observer: DeliverObserver = {
    entryStored: (kind, _header, ms) => seconds[kind].observe(ms / 1000),
    possibleDuplicates: (tasks) => metrics.possibleDuplicates.inc(tasks),
  }
  try {
    return await connectDeliverQueue({
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
