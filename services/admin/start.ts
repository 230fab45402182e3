/** An admin node on the real queue. */
import type { ServiceContext } from '@posthouse/runtime/service'
import type { metricsTable } from './metrics.ts'
import type { settingsTable } from './settings.ts'

export function startAdmin(_service: ServiceContext<typeof settingsTable, typeof metricsTable>): Promise<void> {
  return Promise.reject(new Error('not there yet'))
}
