/**
 * A file that may change while the process runs: looked at once a second by time, size and inode, which also notices a
 * file that was replaced or sits behind a symbolic link that was switched (as mounted secrets do).
 */
import { statSync } from 'node:fs'

const lookEvery = 1000

/** Calls `changed` after each change. Returns how to stop. */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  let last = stamp(paths)
  const timer = setInterval(() => {
    const now = stamp(paths)
    if (now === last) return
    last = now
    changed()
  }, lookEvery)
  timer.unref()
  return () => clearInterval(timer)
}

function stamp(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
      return stat === undefined ? 'absent' : `${stat.mtimeNs} ${stat.size} ${stat.ino}`
    })
    .join('|')
}
