/** An admin node on the real queue. */
import { connectAdminQueue } from '@posthouse/queue/admin-queue'
import type { AdminPort } from '@posthouse/queue/admin-port'
import type { ServiceContext } from '@posthouse/runtime/service'
import { queueOptions } from '@posthouse/runtime/settings/queue-options'
import { asStartError } from '@posthouse/runtime/start-error'
import { openAdmin } from './admin.ts'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

type Service = ServiceContext<typeof settingsTable, typeof metricsTable>

export async function startAdmin(service: Service): Promise<void> {
  openAdmin(service, await connect(service))
}

async function connect({ settings, log }: Service): Promise<AdminPort> {
  try {
    return await connectAdminQueue({ ...queueOptions(settings), log })
  } catch (error) {
    throw asStartError(error)
  }
}
