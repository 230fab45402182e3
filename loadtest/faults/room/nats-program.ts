// A NATS server of a room: its configuration, its store, and the proxies before it when its connections can be delayed.

import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { natsConfig } from '@posthouse/testkit/nats-config'
import { isNatsReady } from '@posthouse/testkit/nats-node'
import type { Disk, RoomOptions } from '../room.ts'
import type { Place } from './ground.ts'
import { ownEnvironment } from './own-environment.ts'
import type { Program } from './program-node.ts'
import type { Secrets } from './secrets.ts'

export interface NatsStore {
  readonly disk: Disk
  readonly folder: string
}

export interface NatsOptions {
  readonly room: RoomOptions
  readonly secrets: Secrets
  readonly place: Place
  /** Of all servers. */
  readonly places: readonly Place[]
  readonly store: NatsStore
  readonly maxFileStore: number
  readonly logFile: string
}

export async function natsProgram(options: NatsOptions): Promise<Program> {
  const { place, places, room, secrets, store } = options
  const { address: host, nats: ports, name } = place
  const delayable = room.delayable === true
  const tag = `run:${randomBytes(8).toString('hex')}`
  const config = natsConfig({
    name,
    host,
    ports,
    routes: places.map((one) => `${one.address}:${(delayable ? one.proxies : one.nats).cluster}`),
    ...(delayable ? { advertised: place.proxies } : {}),
    clusterName: 'posthouse',
    user: secrets.natsUser,
    password: secrets.natsPassword,
    storeDir: store.folder,
    logFile: options.logFile,
    tag,
    maxFileStore: options.maxFileStore,
    syncInterval: room.sync ?? 'always',
  })
  const configFile = join(room.dir, `${name}.conf`)
  await writeFile(configFile, config, { mode: 0o600 })
  const binary = requireNatsServer().path
  return {
    http: `http://${host}:${ports.monitor}`,
    env: ownEnvironment(),
    disk: store.disk,
    async command() {
      await mkdir(store.folder, { recursive: true, mode: 0o700 })
      return [binary, '-c', configFile]
    },
    notReady: async () => ((await isNatsReady({ host, ports, tag })) ? undefined : 'JetStream is not current'),
  }
}
