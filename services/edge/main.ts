/** An edge node: takes mail over SMTP and answers 250 when the queue has stored it. */
import { runService } from '@posthouse/runtime/service'
import { metricsTable } from './metrics.ts'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'
import { startEdge } from './start.ts'

await runService({ name: 'edge', settingsTable, metricsTable, rules: settingsRules, start: startEdge })
