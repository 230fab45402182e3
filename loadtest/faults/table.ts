// Every fault of the matrix, by name.

import type { Fault } from './fault.ts'
import { changeFaults } from './table/change.ts'
import { clockFaults } from './table/clock.ts'
import { diskFaults } from './table/disk.ts'
import { linkFaults } from './table/link.ts'
import { powerFaults } from './table/power.ts'
import { processFaults } from './table/process.ts'
import { canBeMixed, sequenceOf } from './table/sequence.ts'
import { dnsFaults, siteFaults } from './table/site.ts'

const SINGLE: readonly Fault[] = [
  ...processFaults,
  ...linkFaults,
  ...diskFaults,
  ...powerFaults,
  ...siteFaults,
  ...dnsFaults,
  ...clockFaults,
  ...changeFaults,
]

const SEQUENCE_LENGTH = 8

/** What random sequences are drawn from. */
export const MIXABLE: readonly Fault[] = SINGLE.filter(canBeMixed)

export const FAULTS: readonly Fault[] = [...SINGLE, sequenceOf(MIXABLE, SEQUENCE_LENGTH)]
