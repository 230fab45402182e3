// The ports of a room in which every node has an address of its own: the well-known ones.

import type { NatsPorts } from '@posthouse/testkit/nats-config'

export type Role = 'relay' | 'submission' | 'submissions'
export type SmtpPorts = Readonly<Record<Role, number>>

export const SMTP_PORTS: SmtpPorts = { relay: 25, submission: 587, submissions: 465 }
export const SITE_PORT = 25
export const HTTP_PORT = 8080
export const NATS_PORTS: NatsPorts = { client: 4222, cluster: 6222, monitor: 8222 }
export const PROXY_PORTS = { client: 4223, cluster: 6223 }
