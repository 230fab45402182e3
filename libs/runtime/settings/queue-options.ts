// How to reach the queue, from the settings of any process that has `queueSettings`.
import type { commonSettings, queueSettings } from './common.ts'
import type { Settings } from './table.ts'

export interface NatsTls {
  readonly caFile: string
  readonly client?: { readonly certFile: string; readonly keyFile: string }
}

export interface QueueOptions {
  readonly servers: readonly string[]
  readonly user?: string
  readonly password?: string
  readonly tls?: NatsTls
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  readonly limits: { readonly storage: number }
  readonly patienceMs: number
}

export function queueOptions({
  name,
  nats: { servers, user, password, patience, tls },
  queue: { partitions, replicas, storage },
}: Pick<Settings<typeof commonSettings>, 'name'> & Settings<typeof queueSettings>): QueueOptions {
  return {
    servers,
    ...(user === undefined ? undefined : { user }),
    ...(password === undefined ? undefined : { password }),
    ...natsTls(tls),
    name,
    partitions,
    replicas,
    limits: { storage },
    patienceMs: patience,
  }
}

type TlsSettings = Settings<typeof queueSettings>['nats']['tls']

/** Nothing unless it is to be TLS. */
export function natsTls({ caFile, certFile, keyFile }: TlsSettings): { readonly tls?: NatsTls } {
  if (caFile === undefined) return {}
  return {
    tls: { caFile, ...(certFile === undefined || keyFile === undefined ? {} : { client: { certFile, keyFile } }) },
  }
}

/** What the table cannot say of `queueSettings`: one line for each thing wrong. */
export function queueRules({ nats }: { readonly nats: { readonly tls: TlsSettings } }): string[] {
  const { caFile, certFile, keyFile } = nats.tls
  const wrong: string[] = []
  if ((certFile === undefined) !== (keyFile === undefined)) wrong.push('nats.tls.certFile: goes with nats.tls.keyFile')
  if (certFile !== undefined && caFile === undefined) wrong.push('nats.tls.certFile: needs nats.tls.caFile')
  return wrong
}
