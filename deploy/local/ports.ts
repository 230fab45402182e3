// Which port each part of a local cluster listens on: fixed places above the base port, that recall the well-known numbers
// where there is one (25, 587, 465).

import { isPortFree } from '@posthouse/testkit/free-port'
import type { NatsPorts } from '@posthouse/testkit/nats-config'

export const HOST = '127.0.0.1'
export const PORTS_USED = 100
export const HIGHEST_BASE_PORT = 65536 - PORTS_USED

export interface Ports {
  readonly relay: number
  readonly submission: number
  readonly submissions: number
  readonly mailboxSmtp: number
  readonly mailboxWeb: number
  readonly nats: readonly NatsPorts[]
  /** Health and metrics. */
  readonly edges: readonly number[]
  readonly deliveries: readonly number[]
  readonly admins: readonly number[]
}

export function portsAbove(base: number, nodes: 1 | 3, admin = true): Ports {
  const each = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index))
  const services = nodes === 1 ? 1 : 2
  return {
    relay: base + 25,
    submission: base + 87,
    submissions: base + 65,
    mailboxSmtp: base + 26,
    mailboxWeb: base + 80,
    nats: each(nodes, (index) => ({ client: base + 1 + index, cluster: base + 4 + index, monitor: base + 7 + index })),
    edges: each(services, (index) => base + 31 + index),
    deliveries: each(services, (index) => base + 41 + index),
    admins: each(admin ? 1 : 0, (index) => base + 51 + index),
  }
}

/** Every port with what it is for, in words for the message about one that is taken. */
export function purposes(ports: Ports, withMailbox: boolean): [port: number, purpose: string][] {
  const list: [number, string][] = [
    [ports.relay, 'relay listener'],
    [ports.submission, 'submission listener'],
    [ports.submissions, 'submissions listener'],
  ]
  if (withMailbox) list.push([ports.mailboxSmtp, 'SMTP of the mailbox'], [ports.mailboxWeb, 'web page of the mailbox'])
  for (const [index, { client, cluster, monitor }] of ports.nats.entries()) {
    const name = `nats-${index + 1}`
    list.push([client, `clients of ${name}`], [monitor, `monitoring of ${name}`])
    if (ports.nats.length > 1) list.push([cluster, `routes of ${name}`])
  }
  for (const [index, port] of ports.edges.entries()) list.push([port, `health and metrics of edge-${index + 1}`])
  for (const [index, port] of ports.deliveries.entries())
    list.push([port, `health and metrics of delivery-${index + 1}`])
  for (const [index, port] of ports.admins.entries()) list.push([port, `health and metrics of admin-${index + 1}`])
  return list
}

/** A line for each port that somebody else listens on. */
export async function portsInUse(ports: Ports, withMailbox: boolean): Promise<string[]> {
  const checked = await Promise.all(
    purposes(ports, withMailbox).map(async ([port, purpose]) => ({
      port,
      purpose,
      free: await isPortFree(port, HOST),
    })),
  )
  return checked.filter(({ free }) => !free).map(({ port, purpose }) => `port ${port} (${purpose}) is in use`)
}
