/** How the streams of a partition are configured. */
import type { StreamConfig } from './api.ts'
import { bodyStream, bodySubjects, logStream, logSubjects, mailStream, mailSubjects } from './subjects.ts'

export interface StoreLimits {
  /** Bytes that all streams together may take on each server; it must fit the servers' max_file_store. */
  readonly storage: number
}

export const DEFAULT_LIMITS: StoreLimits = { storage: 3840 * 1024 * 1024 }

const MINUTE = 60 * 1e9 // nanoseconds
const LEAST_BYTES = 8 * 1024 * 1024

/**
 * Every stream has a limit of its own, as the servers reserve room for it: whatever fills MAIL or BODY, entries of the log
 * find theirs. Most goes to the log, which holds the mail that waits.
 */
const SHARE = { mail: 0.25, log: 0.4, body: 0.35 }

export function streamConfigs(
  partition: number,
  partitions: number,
  replicas: number,
  limits: StoreLimits,
): StreamConfig[] {
  const bytes = (share: number) => Math.floor((limits.storage * share) / partitions)
  const stream = (name: string, subject: string, maxBytes: number, window: number): StreamConfig => ({
    name,
    subjects: [subject],
    retention: 'limits',
    storage: 'file',
    discard: 'new',
    max_bytes: maxBytes,
    max_age: 0,
    num_replicas: replicas,
    duplicate_window: window,
    allow_direct: true,
  })
  return [
    stream(mailStream(partition), mailSubjects(partition), bytes(SHARE.mail), 6 * MINUTE),
    stream(logStream(partition), logSubjects(partition), bytes(SHARE.log), 10 * MINUTE),
    stream(bodyStream(partition), bodySubjects(partition), bytes(SHARE.body), 2 * MINUTE),
  ]
}

export function leastStorage(partitions: number): number {
  return Math.ceil((LEAST_BYTES * partitions) / Math.min(...Object.values(SHARE)))
}
