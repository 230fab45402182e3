// Keeps the kernel from writing dirty pages to disk by itself while a power cut is prepared, so that only what a program syncs
// survives. The setting is the machine's, not a namespace's: hold it for a short time only.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

const SETTING = '/proc/sys/vm/dirty_writeback_centisecs'
/** What the setting was, as long as it is held: kept for the next holder if everything is killed at once. */
const BEFORE = '/var/lib/posthouse-dirty_writeback_centisecs'

// The shell outlives the process that started it, sees the end of its input, and puts the setting back.
const HOLD = `
  set -e
  trap '' INT TERM HUP
  test -s "$2" || { cat "$1" > "$2.$$" && mv "$2.$$" "$2"; }
  before=$(cat "$2")
  echo 0 > "$1"
  echo held
  cat > /dev/null
  echo "$before" > "$1"
  rm -f "$2"`

/** Answers with what lets go again. When this process ends, in any way, it is let go of too. */
export async function holdWriteback(): Promise<() => Promise<void>> {
  const shell = spawn('sh', ['-c', HOLD, 'sh', SETTING, BEFORE], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = once(shell, 'exit')
  const [answer] = await Promise.race([once(shell.stdout, 'data'), exited])
  if (String(answer).trim() !== 'held') throw new Error(`${SETTING} cannot be set`)
  return async () => {
    shell.stdin.end()
    await exited
  }
}
