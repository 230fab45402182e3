// All dashboards, in the order of the links between them. deploy/check/generate.ts writes them beside this folder.
import { delivery } from './delivery.ts'
import { edge } from './edge.ts'
import { grafanaJson } from './grafana-json.ts'
import { nats } from './nats.ts'
import { overview } from './overview.ts'
import { queue } from './queue.ts'

const DASHBOARDS = [overview, edge, delivery, queue, nats] as const

/** JSON by the file's name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(DASHBOARDS.map((one) => [`${one.file}.json`, JSON.stringify(grafanaJson(one, DASHBOARDS))]))
}
