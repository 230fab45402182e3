/**
 * Batches half run for long. Their closings hold R down while their other tasks wait on, so that what is left of them is
 * parked, due now: a `.later` entry of its own carries it on, the batch is closed, and R moves.
 */
import type { Holdings } from './holdings.ts'
import { TASK, type OpenBatch } from './open-batch.ts'

/** The destination is '' for what came from MAIL. */
export type Park = (batch: OpenBatch, record: number, positions: readonly number[], destination: string) => void

/** `since`: monotonic time; a batch first closed in part after it is not meant. */
export function parkHalfRun({ window, laters }: Holdings, since: number, park: Park): void {
  for (const batch of window.open) parkRest(batch, '', since, park)
  for (const { batch, destination } of laters.all()) if (batch !== undefined) parkRest(batch, destination, since, park)
}

function parkRest(batch: OpenBatch, destination: string, since: number, park: Park): void {
  if (batch.lowestCloser === 0 || batch.firstClosed > since) return
  for (let record = 0; record < batch.records.length; record++) {
    const positions = [...batch.positions(record, TASK.given), ...batch.positions(record, TASK.waiting)]
    if (positions.length > 0) park(batch, record, positions, destination)
  }
}
