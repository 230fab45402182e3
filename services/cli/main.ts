#!/usr/bin/env node
// The `posthouse` command: looks at the queue of the whole cluster, keeps the users file, checks settings, sends a message
// through. Nothing but the last needs a running Posthouse node.
import { join } from 'node:path'
import { connectQueueView } from '@posthouse/queue/queue-view'
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
}

// Who read the answer may have seen enough (`| head`).
process.stdout.on('error', () => process.exit(0))
process.exitCode = await run(process.argv.slice(2), world)
