/** A delivery node: takes mail from the queue and hands it to the hosts of its recipients. */
import { runService } from '@posthouse/runtime/service'
import { metricsTable } from './metrics.ts'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'
import { startDelivery } from './start.ts'

await runService({ name: 'delivery', settingsTable, metricsTable, rules: settingsRules, start: startDelivery })
