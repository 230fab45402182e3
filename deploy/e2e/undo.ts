// What has been changed and must be put back, the last first. Each is tried, whatever became of the others, and none for ever.

export type Work = () => Promise<unknown>

export class Undo {
  readonly #stack: { readonly what: string; readonly work: Work }[] = []

  /** Answers with a function that puts it back now. One that fails stays, to be tried again at the end. */
  push(what: string, work: Work): () => Promise<void> {
    const entry = { what, work }
    this.#stack.push(entry)
    return async () => {
      if (!this.#stack.includes(entry)) return
      await work()
      const index = this.#stack.indexOf(entry)
      if (index >= 0) this.#stack.splice(index, 1)
    }
  }

  /** A line for each that could not be put back, within `timeoutMs` altogether. */
  async all(timeoutMs: number, say: (line: string) => void): Promise<string[]> {
    const left: string[] = []
    const deadline = performance.now() + timeoutMs
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      say(entry.what)
      try {
        await within(entry.work(), deadline - performance.now())
      } catch (error) {
        left.push(`${entry.what}: ${(error as Error).message}`)
      }
    }
    return left
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no time was left')), Math.max(0, ms))
  })
  try {
    await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
