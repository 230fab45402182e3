/** An admin node: exports the figures of the whole queue, keeps an index of the events, and sends them to webhooks. */
import { runService } from '@posthouse/runtime/service'
import { metricsTable } from './metrics.ts'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'
import { startAdmin } from './start.ts'

await runService({ name: 'admin', settingsTable, metricsTable, rules: settingsRules, start: startAdmin })
