/**
 * Files that may change while the process runs. They are looked at once a second, by times, size and inode of what the path
 * leads to: that also notices a file that was replaced, and one behind a symbolic link that was switched, as Kubernetes does
 * with mounted Secrets and ConfigMaps (file -> ..data/file, ..data -> a folder of its own for each version), where nothing
 * ever happens to the file itself that notifications could tell. What a file looked like is noted before it is read, so that
 * a change in between is seen as one.
 */
import { readFileSync, statSync } from 'node:fs'

const lookEvery = 1000

/** Files that are read together, and what each looked like just before. */
export class FilesRead {
  readonly #looks = new Map<string, string>()

  /** Throws if it cannot be read; it is watched all the same. */
  read(path: string): Buffer {
    if (!this.#looks.has(path)) this.#looks.set(path, lookOf(path))
    return readFileSync(path)
  }

  /** Is any of them another one by now? */
  get haveChanged(): boolean {
    return [...this.#looks].some(([path, look]) => lookOf(path) !== look)
  }
}

/**
 * Calls `again` when one of the files has changed, to read them anew, and goes on with those that it reads then. While it
 * does so nothing is looked at; it must not reject. Returns how to stop.
 */
export function watchFiles(first: FilesRead, again: (files: FilesRead) => void | Promise<void>): () => void {
  let files = first
  let busy = false
  const look = async (): Promise<void> => {
    if (busy || !files.haveChanged) return
    busy = true
    files = new FilesRead()
    await again(files)
    busy = false
  }
  const timer = setInterval(() => void look(), lookEvery)
  timer.unref()
  return () => clearInterval(timer)
}

function lookOf(path: string): string {
  try {
    const { mtimeNs, ctimeNs, size, ino } = statSync(path, { bigint: true })
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
