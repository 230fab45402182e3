/** An edge node: takes mail over SMTP and answers 250 when the queue has stored it. */
import { networkInterfaces } from 'node:os'
import { parseCommandLine } from '@posthouse/runtime/command-line'
import { runService } from '@posthouse/runtime/service'
import { ownNetworks } from './cluster-networks.ts'
import { metricsTable } from './metrics.ts'
import { settingsRules } from './settings-rules.ts'
import { settingsTable } from './settings.ts'
import { startEdge } from './start.ts'

// Settings that are only looked at (--print-settings, and so `posthouse config check`) are judged by themselves, so that the
// answer is the same on every machine; a node that starts also goes by where it is.
const isStart = parseCommandLine(process.argv.slice(2)).kind === 'run'
const own = isStart ? ownNetworks(process.env, networkInterfaces()) : []

await runService({
  name: 'edge',
  settingsTable,
  metricsTable,
  rules: (settings) => settingsRules(settings, own),
  start: (service) => startEdge(service, own),
})
