/**
 * Remembers the ids of MAIL batches, so that a repeat of a batch is recognised after the original was delivered, purged
 * and forgotten by the servers. A batch is stored whole or not at all, so that a repeat has nothing the original lacks.
 * An id is forgotten when the floor has passed every batch that was stored within the repeat window of its last mention.
 */
export class SeenBatches {
  /** Id -> MAIL sequence of the original. Ordered by first mention. */
  readonly #origins = new Map<string, number>()
  /** Last mention in server time, ms, in the order of #mentions. */
  #mentions: { id: string; at: number }[] = []
  #head = 0

  /** `at`: server time of the mention, ms, rather too late than too early. */
  see(id: string, origin: number, at: number): void {
    if (id === '') return
    const known = this.#origins.get(id)
    if (known === undefined || origin < known) this.#origins.set(id, origin)
    this.#mentions.push({ id, at })
  }

  isRepeat(id: string, seq: number): boolean {
    const origin = this.#origins.get(id)
    return origin !== undefined && origin < seq
  }

  /** Forgets what was last mentioned before `time` (server time, ms). */
  forget(time: number): void {
    const mentions = this.#mentions
    if (this.#head >= mentions.length || mentions[this.#head]!.at >= time) return
    // An id that was mentioned again later stays until that mention goes.
    const later = new Map<string, number>()
    let head = this.#head
    const going: string[] = []
    while (head < mentions.length && mentions[head]!.at < time) going.push(mentions[head++]!.id)
    for (let i = head; i < mentions.length; i++) later.set(mentions[i]!.id, i)
    for (const id of going) if (!later.has(id)) this.#origins.delete(id)
    this.#mentions = mentions.slice(head)
    this.#head = 0
  }
}
