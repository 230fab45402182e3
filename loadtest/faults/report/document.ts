// docs/faults.md, from what docs/faults.json holds. Pure; whoever writes it has it formatted.

import { RECOVERY_MS } from '../judge-fault.ts'
import type { FaultKind } from '../fault.ts'
import type { Conditions } from './conditions.ts'
import type { FaultsData, Run } from './data.ts'
import { reasonText } from './reasons.ts'
import { totalsText } from './summary.ts'
import { verdict } from './table.ts'
import { bar, seconds } from './words.ts'

const KINDS: Readonly<Record<FaultKind, string>> = {
  process: 'Processes',
  link: 'Links',
  disk: 'Disks',
  power: 'Power',
  site: 'Destinations',
  dns: 'DNS',
  clock: 'Clocks',
  change: 'Changes under load',
}

const HEADER = [
  'fault',
  'what breaks',
  'messages',
  'lost / altered / unexpected',
  'duplicates (counted)',
  'longest time without a 250',
  'held up',
  'recovery',
  'seed',
  'verdict',
]

const INTRODUCTION = `# The fault matrix

A real cluster (three NATS servers, edges, delivery nodes, HAProxy in front, destinations and DNS behind) is broken in every way a
machine room does it, while mail flows: 1 KiB to 30 MB, one to 200 recipients, kept and one-shot connections, with and
without TLS. Afterwards every message is reconciled: what the client was told, what arrived, what the queue's log says.

\`\`\`sh
npm run -s loadtest -- faults --list                           # what there is
npm run -s loadtest -- faults --all --json                     # all of it
npm run -s loadtest -- faults --only kill-delivery --seed 7    # one fault; the seed repeats a run
npm run -s loadtest -- faults --all --write-docs               # writes this page
\`\`\`

Faults of links, disks and clocks need root, for network namespaces of their own; without it the faults of processes run on
loopback. Nothing is sent anywhere else.`

const COLUMNS = `- **lost**: answered 250, and neither delivered, bounced nor in the queue. **Altered**: arrived with other content. **Unexpected**:
  arrived though it was refused or never sent. All three must be 0; the one fault that must lose mail is the test of the test, and not in the sum.
- **duplicates**: copies too many. Each must be explained by a delivery node, its link or a destination that was hit between the final
  dot and the stored outcome. _Counted_ is what the delivery nodes themselves report as possible duplicates.
- **longest time without a 250**: over all clients. Its bar stands behind it; where there is none, the reason is at the end.
- **held up**: the longest that mail which was on its way at the hit, or was accepted until the heal, took to arrive.
- **recovery**: from the last heal until accepted and delivered per second are back at 80 % of what they were; the bar is ${bar(RECOVERY_MS)}.`

export function faultsDocument(data: FaultsData): string {
  const { runs } = data
  return [
    INTRODUCTION,
    picture(data),
    '## Results',
    `**${totalsText(runs)}.**`,
    conditions(data),
    COLUMNS,
    table(runs),
    section('Failed, or over a bar', runs.flatMap(wrong)),
    section('Why mail went out twice, or might have', runs.flatMap(reasons)),
    section('Where there is no bar', withoutBar(runs)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function picture({ plotted }: FaultsData): string {
  if (plotted === null) return ''
  return `![Accepted and delivered per second through the run ${plotted.name}, seed ${plotted.seed}](faults.svg)`
}

/** All runs under the same conditions: one sentence. Else one for each, with the runs it is about. */
function conditions(data: FaultsData): string {
  const [first, ...others] = data.conditions
  if (first === undefined) return ''
  if (others.length === 0) return `Measured ${conditionsText(first)}`
  return data.conditions.map((each, index) => `- ${namesUnder(data, index)}: ${conditionsText(each)}`).join('\n')
}

function namesUnder({ runs, conditions: all }: FaultsData, index: number): string {
  const counts = all.map((_, under) => runs.filter((run) => run.under === under).length)
  const most = counts.indexOf(Math.max(...counts))
  if (index === most) return 'All others'
  return runs.flatMap((run) => (run.under === index ? [code(run.name)] : [])).join(', ')
}

function conditionsText(on: Conditions): string {
  return (
    `on ${on.date} at commit ${on.commit}: ${on.cores} cores (${on.cpu}), ${on.memoryGiB} GiB, ${on.distribution}, ` +
    `Linux ${on.kernel}, Node ${on.node.replace(/^v/, '')}, nats-server ${on.natsServer}, HAProxy ${on.haproxy}.`
  )
}

function table(runs: readonly Run[]): string {
  const rows = Object.entries(KINDS).flatMap(([kind, title]) => {
    const ofKind = runs.filter((run) => run.kind === kind)
    return ofKind.length === 0 ? [] : [[`**${title}**`, ...HEADER.slice(1).map(() => '')], ...ofKind.map(cells)]
  })
  return [HEADER, HEADER.map(() => '---'), ...rows].map((row) => `| ${row.map(escaped).join(' | ')} |`).join('\n')
}

function cells(run: Run): string[] {
  return [
    code(run.name),
    run.isolated ? run.what : `${run.what} (on loopback)`,
    String(run.messages),
    `${run.lost} / ${run.altered} / ${run.unexpected}`,
    `${run.duplicates} (${run.possibleDuplicates})`,
    against(run.longestAcceptGapMs, run.bars.gapMs),
    against(run.takeoverMs, run.bars.takeoverMs),
    seconds(run.recoveryMs),
    String(run.seed),
    verdict(run),
  ]
}

function against(ms: number | null, barMs: number | null | undefined): string {
  return typeof barMs === 'number' ? `${seconds(ms)} (< ${bar(barMs)})` : seconds(ms)
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

function wrong({ name, failures, missedBars }: Run): string[] {
  const all = [...failures, ...missedBars]
  return all.length === 0 ? [] : [`${code(name)}: ${all.join('; ')}`]
}

function reasons(run: Run): string[] {
  return run.reasons.length === 0 ? [] : [`${code(run.name)}: ${run.reasons.map(reasonText).join('; ')}`]
}

/** Faults that share a reason stand together. */
function withoutBar(runs: readonly Run[]): string[] {
  const names = new Map<string, string[]>()
  for (const { name, bars } of runs) {
    if (bars.gapMs !== null) continue
    const why = bars.why ?? 'measured, not promised'
    names.set(why, [...(names.get(why) ?? []), code(name)])
  }
  return [...names].map(([why, those]) => `${those.join(', ')}: ${why}`)
}

function code(name: string): string {
  return `\`${name}\``
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|')
}
