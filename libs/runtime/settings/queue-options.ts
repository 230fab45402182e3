// How to reach the queue, from the settings of any process that has `queueSettings`.
import type { commonSettings, queueSettings } from './common.ts'
import type { Settings } from './table.ts'

export interface QueueOptions {
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  readonly limits: { readonly storage: number }
}

export function queueOptions({
  name,
  nats: { servers, user, password },
  queue: { partitions, replicas, storage },
}: Pick<Settings<typeof commonSettings>, 'name'> & Settings<typeof queueSettings>): QueueOptions {
  return {
    servers,
    ...(user === undefined ? undefined : { user }),
    ...(password === undefined ? undefined : { password }),
    name,
    partitions,
    replicas,
    limits: { storage },
  }
}
