/** The queue of an admin node on real servers. */
import type { AdminPort } from './admin-port.ts'
import type { LookOptions } from './jetstream/jetstream-store.ts'

export type AdminQueueOptions = LookOptions

export function connectAdminQueue(_options: AdminQueueOptions): Promise<AdminPort> {
  return Promise.reject(new Error('nats.servers: an admin node cannot use them yet'))
}
