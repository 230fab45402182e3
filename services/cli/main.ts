#!/usr/bin/env node
// The `posthouse` command: looks at the queue of the whole cluster and what happened in it, keeps the users file, checks settings, sends a message
// through. Nothing but the last needs a running Posthouse node.
import { join } from 'node:path'
import { connectEventFeed } from '@posthouse/queue/log-event-feed'
import { connectQueueView } from '@posthouse/queue/queue-view'
import { askDeadLetters, askTrace } from '@posthouse/queue/admin-client'
import { run } from './program.ts'
import type { World } from './world.ts'

/** A person waits for the answer; a cluster that is just starting gets a little time. */
const PATIENCE_MS = 10_000

const world: World = {
  environment: process.env,
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  root: join(import.meta.dirname, '../..'),
  openQueue: (address, log) => connectQueueView({ ...address, log, patienceMs: PATIENCE_MS }),
  openEvents: (address, log) => connectEventFeed({ ...address, log, patienceMs: PATIENCE_MS }),
  askTrace: (address, question, log) => askTrace({ ...address, log, patienceMs: PATIENCE_MS }, question),
  askDeadLetters: (address, question, log) => askDeadLetters({ ...address, log, patienceMs: PATIENCE_MS }, question),
  untilStopped() {
    const stop = new AbortController()
    // The second time they end the process, whatever it waits for.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    return stop.signal
  },
}

// Who read the answer may have seen enough (`| head`).
process.stdout.on('error', () => process.exit(0))
process.exitCode = await run(process.argv.slice(2), world)
