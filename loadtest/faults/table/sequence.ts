// Several faults drawn from the table with the run's seed, one after the other, with mail flowing all the time.

import { shuffled } from '../../random.ts'
import type { Fault } from '../fault.ts'
import { DISK_MIB } from './disk.ts'

/** Mail flows for this long between two faults. */
const BETWEEN_MS = 5000

/** Faults that any room can have in any order: none that plants a loss or needs its own servers. */
export function canBeMixed({ bars, room }: Fault): boolean {
  return bars.losses !== true && room?.sync === undefined && room?.delayable !== true && room?.clocks !== true
}

export function sequenceOf(pool: readonly Fault[], length: number): Fault {
  return {
    name: 'sequence',
    kind: 'change',
    what: `${length} faults drawn from this table, one after the other`,
    needs: 'namespaces',
    room: { diskMiB: DISK_MIB },
    bars: { gapMs: null, duplicates: true, why: 'some of them stop acceptance by their nature' },
    async run(scene) {
      for (const fault of shuffled(scene.random, pool).slice(0, length)) {
        scene.mark('note', [], fault.name)
        await fault.run(scene)
        await scene.flowing(20)
        await scene.sleep(BETWEEN_MS)
      }
    },
  }
}
