// A wall clock that can be made to jump in processes that run: libfaketime, which reads the difference to the true time from a
// file whenever a program asks for the time. The monotonic clock and all timers stay true.
//
// For every process libfaketime makes two files in /dev/shm, named by the process id, which stay when it is killed and then
// keep a later process of the same id from starting: a room with process ids of its own needs a /dev/shm of its own.

import { globSync, writeFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'

export interface FakeClock {
  /** For the processes that go by this clock. */
  readonly env: Record<string, string>
  /** Sets the clock ahead (or back) by so much against the true one. The next question for the time is answered by it. */
  jump(ms: number): Promise<void>
}

/** `file` belongs to the clock. */
export function fakeClock(file: string): FakeClock {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('libfaketime is missing')
  writeFileSync(file, difference(0))
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // To read the file takes some microseconds; to keep what was read would delay a jump.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    async jump(ms) {
      // Never half written to those who read.
      await writeFile(`${file}.next`, difference(ms))
      await rename(`${file}.next`, file)
    },
  }
}

function difference(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(3)}\n`
}
