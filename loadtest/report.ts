// How a load run is told to a person: the ledger first, then the times, then what is wrong if anything is.

import { judge } from './ledger.ts'
import type { LoadResult } from './run.ts'

const VERDICTS = {
  sound: 'sound: everything accepted is accounted for',
  faulty: 'FAULTY: see the lines marked with !',
  undecided: 'undecided: copies are missing and the queue could not be asked whether it holds them',
}

export function table(result: LoadResult): string {
  const rows: [string, string | number | null][] = [
    ['fault', result.killed.length > 0 ? `${result.fault} (${result.killed.join(', ')})` : result.fault],
    ['accepted', result.accepted],
    ['delivered', result.delivered],
    ['bounced', result.bounced],
    ['queued', result.queued ?? 'unknown'],
    [flag('lost', result.lost), result.lost],
    ['undecided', result.undecided],
    ['duplicates', result.duplicates],
    ['possible duplicates counted', result.possibleDuplicates],
    [flag('unexpected', result.unexpected), result.unexpected],
    [flag('altered', result.altered), result.altered],
    ['refused tries', result.refused],
    ['tries of unknown fate', result.unknown],
    ['never sent', result.unsent],
    ['messages/s end to end', result.messagesPerSecond],
    ['250 after, median', ms(result.p50Ms)],
    ['250 after, 99th percentile', ms(result.p99Ms)],
    ['longest gap without a 250', ms(result.longestAcceptGapMs)],
    ['slowest delivery after its 250', ms(result.slowestDeliveryMs)],
    ['in-flight mail out again after', ms(result.redeliveryMs)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value ?? '-'}`)
  for (const [fault, recipients] of Object.entries(result.examples)) {
    if (recipients.length > 0) lines.push(`${fault}, for example: ${recipients.join(' ')}`)
  }
  return [...lines, VERDICTS[judge(result)]].join('\n')
}

function flag(name: string, count: number): string {
  return count > 0 ? `! ${name}` : name
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value} ms`
}
