// Keeps the kernel from writing dirty pages to disk by itself while a power cut is prepared, so that only what a program syncs
// survives. The setting is the machine's, not a namespace's: hold it for a short time only.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const FILES = {
  setting: '/proc/sys/vm/dirty_writeback_centisecs',
  /** What it was, as long as it is held: when the holder and its shell are killed together, the next holder puts it back. */
  before: '/var/lib/posthouse-dirty_writeback_centisecs',
}

// The shell survives the process that started it, sees the end of its input, and puts the setting back unless others still
// hold it. They share a lock of the second file's folder. Only
// the first finds no such file: it is there before the setting changes.
const HOLD = `
  set -e
  trap '' INT TERM HUP
  exec 9< "$(dirname "$2")"
  flock --shared 9
  mine=$(mktemp "$2.XXXXXX")
  cat "$1" > "$mine"
  ln "$mine" "$2" 2> /dev/null || true
  rm "$mine"
  echo 0 > "$1"
  echo held
  cat > /dev/null
  flock --exclusive --nonblock 9 || exit 0
  cat "$2" > "$1"
  rm "$2"`

/** Answers with what lets go again. When this process ends, in any way, it lets go too. */
export async function holdWriteback(files = FILES): Promise<() => Promise<void>> {
  const args = ['-c', HOLD, 'sh', files.setting, files.before]
  const shell = spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = once(shell, 'exit')
  const [answer] = await Promise.race([once(shell.stdout, 'data'), exited])
  if (String(answer) !== 'held\n') throw new Error(`${files.setting} cannot be set`)
  return async () => {
    shell.stdin.end()
    await exited
  }
}

/** When a holder was killed together with its shell, as with its enclosure, the setting is still held: puts it back. */
export async function putWritebackBack(files = FILES): Promise<void> {
  if (existsSync(files.before)) await (await holdWriteback(files))()
}
