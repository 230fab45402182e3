// What a running cluster tells other programs: one JSON object, printed when it is ready and kept current in its folder, so
// that they can send mail, read metrics, and kill and watch nodes.

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST, type Ports } from './ports.ts'
import type { Noted } from './process-table.ts'

export interface ClusterFacts {
  readonly smtp: readonly {
    readonly role: 'submission' | 'submissions' | 'relay'
    readonly host: string
    readonly port: number
    /** How TLS comes in; false where clients speak in the clear. */
    readonly tls: 'starttls' | 'implicit' | false
  }[]
  readonly user: string
  readonly password: string
  /** The mailbox's web page; null when all mail goes to a smarthost. */
  readonly mailbox: string | null
  readonly metrics: Readonly<Record<string, string>>
  /** Programs that run now; one that is down is missing. */
  readonly pids: Readonly<Record<string, number>>
}

export function clusterFacts(
  ports: Ports,
  login: { readonly user: string; readonly password: string },
  withMailbox: boolean,
  pids: Readonly<Record<string, number>>,
): ClusterFacts {
  const metrics: Record<string, string> = {}
  for (const [index, port] of ports.edges.entries()) metrics[`edge-${index + 1}`] = `http://${HOST}:${port}/metrics`
  for (const [index, port] of ports.deliveries.entries()) {
    metrics[`delivery-${index + 1}`] = `http://${HOST}:${port}/metrics`
  }
  for (const [index, port] of ports.admins.entries()) metrics[`admin-${index + 1}`] = `http://${HOST}:${port}/metrics`
  return {
    smtp: [
      { role: 'submission', host: HOST, port: ports.submission, tls: 'starttls' },
      { role: 'submissions', host: HOST, port: ports.submissions, tls: 'implicit' },
      { role: 'relay', host: HOST, port: ports.relay, tls: false },
    ],
    user: login.user,
    password: login.password,
    mailbox: withMailbox ? `http://${HOST}:${ports.mailboxWeb}` : null,
    metrics,
    pids,
  }
}

/** Replaces the file at once: a reader finds the old or the new content, never a part. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const clusterFile = (dir: string) => join(dir, 'cluster.json')

export function writeClusterFile(dir: string, facts: ClusterFacts): void {
  replaceFile(clusterFile(dir), `${JSON.stringify(facts)}\n`)
}

export function removeClusterFile(dir: string): void {
  rmSync(clusterFile(dir), { force: true })
}

/** The processes of this start, for a later one that finds them left over. */
export function writeProcesses(dir: string, noted: readonly Noted[]): void {
  replaceFile(join(dir, 'processes.json'), `${JSON.stringify(noted)}\n`)
}
