// Many faults, one after the other: those with the same wishes share a room, each has a seed of its own derived from the run's.

import { join } from 'node:path'
import type { Fault } from './fault.ts'
import type { FaultResult } from './result.ts'
import type { RoomOptions } from './room.ts'
import { runFault, type Pace } from './run-fault.ts'
import { Stage } from './stage.ts'

export interface Matrix {
  readonly faults: readonly Fault[]
  readonly seed: number
  readonly pace: Pace
  readonly dir: string
  /** One room with all wishes at once, where these can be had together: quick, but slower nodes. */
  readonly oneRoom?: boolean
  readonly edges: number
  readonly deliveries: number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** Called as soon as a run is judged. */
  readonly done: (result: FaultResult) => void
}

type Wishes = NonNullable<Fault['room']>

export async function runMatrix(matrix: Matrix): Promise<void> {
  let rooms = 0
  for (const { wishes, faults } of groups(matrix.faults, matrix.oneRoom === true)) {
    if (matrix.signal.aborted) return
    const dir = join(matrix.dir, `room-${++rooms}`)
    matrix.say(`a room for ${faults.map(({ name }) => name).join(', ')}`)
    await using stage = await Stage.open(roomOptions(matrix, dir, wishes))
    for (const fault of faults) {
      if (matrix.signal.aborted) return
      const seed = seedOf(matrix.seed, fault.name, matrix.faults.length)
      matrix.say(`${fault.name} (seed ${seed}): ${fault.what}`)
      matrix.done(await runFault(fault, { ...matrix, stage, seed }))
    }
  }
}

function roomOptions({ edges, deliveries, signal, say }: Matrix, dir: string, wishes: Wishes): RoomOptions {
  return { dir, edges, deliveries, signal, say, ...wishes }
}

/** Faults by their wishes, in the order of the table; a server that does not fsync, or a proxy, is nobody else's wish. */
export function groups(
  faults: readonly Fault[],
  oneRoom: boolean,
): readonly { readonly wishes: Wishes; readonly faults: readonly Fault[] }[] {
  const found = new Map<string, { wishes: Wishes; faults: Fault[] }>()
  for (const fault of faults) {
    const wishes = fault.room ?? {}
    const alone = wishes.sync !== undefined || wishes.delayable === true
    const key = oneRoom && !alone ? 'shared' : JSON.stringify(wishes)
    const group = found.get(key) ?? { wishes, faults: [] }
    group.wishes = { ...group.wishes, ...wishes }
    group.faults.push(fault)
    found.set(key, group)
  }
  return [...found.values()]
}

/** A run alone takes the seed as it is, so that `--only NAME --seed S` repeats what the table of a whole matrix shows. */
function seedOf(seed: number, name: string, faults: number): number {
  if (faults === 1) return seed
  let hash = seed >>> 0
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
  return hash
}
