// Clients of several kinds at once, each kind with sessions of its own, that are stopped together: what is under way is seen
// through, but not for ever.

import { send, type Sending, type Sent } from './sender.ts'

export interface Crowd {
  /** Settles when all clients have ended by themselves or were stopped; rejects with what broke one of them. */
  readonly done: Promise<Sent>
  /** Begins no more messages and sees those under way through; after `withinMs` their connections are closed. */
  stop(withinMs?: number): Promise<Sent>
}

const STOP_MS = 60_000

/** Begins at once. An abort of `signal` is a stop without an end to patience. */
export function startCrowd(kinds: readonly Omit<Sending, 'signal' | 'abandon'>[], signal?: AbortSignal): Crowd {
  const stopping = new AbortController()
  const abandoning = new AbortController()
  const stopped = AbortSignal.any([stopping.signal, ...(signal === undefined ? [] : [signal])])
  const done = Promise.all(kinds.map((kind) => send({ ...kind, signal: stopped, abandon: abandoning.signal }))).then(
    together,
  )
  done.catch(() => {}) // who stops it learns of it
  return {
    done,
    async stop(withinMs = STOP_MS) {
      stopping.abort()
      const tooLong = setTimeout(() => abandoning.abort(), withinMs)
      try {
        return await done
      } finally {
        clearTimeout(tooLong)
      }
    },
  }
}

function together(all: readonly Sent[]): Sent {
  const sum = (of: (sent: Sent) => number) => all.reduce((total, sent) => total + of(sent), 0)
  return {
    startedAt: Math.min(...all.map(({ startedAt }) => startedAt)),
    endedAt: Math.max(...all.map(({ endedAt }) => endedAt)),
    connections: sum((sent) => sent.connections),
    connectionFailures: sum((sent) => sent.connectionFailures),
    unsent: sum((sent) => sent.unsent),
  }
}
