// Puts new runs into docs/faults.json, and writes docs/faults.md and docs/faults.svg from them.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { FaultResult } from '../result.ts'
import { FAULTS } from '../table.ts'
import { conditionsNow, type Conditions } from './conditions.ts'
import { merged, NO_DATA, type FaultsData } from './data.ts'
import { faultsDocument } from './document.ts'
import { plot } from './plot.ts'

/** The run that shows most: several faults in a row. */
const SHOWN = 'sequence'
const PAUSE_MS = 1000

export async function writeDocument(
  results: readonly FaultResult[],
  root: string,
  conditions?: Conditions,
): Promise<void> {
  const docs = join(root, 'docs')
  const now = conditions ?? (await conditionsNow(root))
  const old = await read(join(docs, 'faults.json'))
  const shown = toPlot(results, old.plotted)
  const data = {
    ...merged(
      old,
      results,
      now,
      FAULTS.map(({ name }) => name),
    ),
    plotted: shown === undefined ? old.plotted : { name: shown.name, seed: shown.seed },
  }
  await writeFormatted(join(docs, 'faults.json'), JSON.stringify(data))
  await writeFormatted(join(docs, 'faults.md'), faultsDocument(data))
  if (shown !== undefined) await writeFile(join(docs, 'faults.svg'), svgOf(shown))
}

async function read(file: string): Promise<FaultsData> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? NO_DATA : (JSON.parse(text) as FaultsData)
}

async function writeFormatted(file: string, text: string): Promise<void> {
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
}

/** A run that the picture should show from now on; without a sequence the longest run does until there is one. */
function toPlot(results: readonly FaultResult[], plotted: FaultsData['plotted']): FaultResult | undefined {
  const sequence = results.find(({ name }) => name === SHOWN)
  if (sequence !== undefined || plotted?.name === SHOWN) return sequence
  const [first, ...others] = results
  return others.reduce((longest, each) => (lengthOf(each) > lengthOf(longest as FaultResult) ? each : longest), first)
}

function lengthOf({ timeline }: FaultResult): number {
  return Math.max(timeline.accepted.length, timeline.delivered.length)
}

function svgOf(run: FaultResult): string {
  return plot(run.timeline, run.marks, { title: `Mail through ${run.name}, seed ${run.seed}`, barMs: PAUSE_MS })
}
