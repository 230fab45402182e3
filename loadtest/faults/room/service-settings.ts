// The settings of the edges and deliveries of a room, and of whoever looks into its queue.

import type { RoomOptions } from '../room.ts'
import type { Ground, Place } from './ground.ts'
import { mergeSettings, type SettingsTree } from './merge-settings.ts'
import type { Secrets } from './secrets.ts'

export interface Around {
  readonly ground: Ground
  readonly secrets: Secrets
  readonly options: RoomOptions
  /** HOST:PORT of the NATS servers, as services are to reach them. */
  readonly servers: readonly string[]
  /** Bytes of the queue on each server, in MiB. */
  readonly storageMiB: number
}

const ROLES = ['relay', 'submission', 'submissions'] as const

export function queueSettings({ secrets, servers, storageMiB }: Omit<Around, 'ground' | 'options'>): SettingsTree {
  return {
    nats: { servers, user: secrets.natsUser, passwordFile: secrets.natsPasswordFile },
    queue: { replicas: 3, storage: `${storageMiB}MiB` },
  }
}

export function edgeSettings(place: Place, around: Around): SettingsTree {
  const { ground, secrets, options } = around
  const host = ground.isolated ? '0.0.0.0' : place.address
  const settings = {
    ...commonSettings(place, around),
    listeners: ROLES.map((role) => ({
      role,
      host,
      port: place.smtp[role],
      ...(role === 'relay' ? { networks: [ground.clients] } : {}),
    })),
    reusePort: !ground.isolated,
    local: true,
    usersFile: secrets.usersFile,
  }
  return mergeSettings(settings, options.edgeSettings ?? {})
}

export function deliverySettings(place: Place, around: Around): SettingsTree {
  const { ground, options } = around
  const settings = {
    ...commonSettings(place, around),
    route: { port: ground.sites.port, ownAddresses: ground.own },
    dns: { servers: [`${ground.dns.host}:${ground.dns.port}`], timeout: '1s', cacheFor: '2s' },
    retry: { first: '1s', longest: '5s' },
  }
  return mergeSettings(settings, options.deliverySettings ?? {})
}

function commonSettings(place: Place, around: Around): SettingsTree {
  return {
    name: place.name,
    hostname: `${place.name}.posthouse.example`,
    http: { host: place.address, port: place.httpPort },
    ...queueSettings(around),
  }
}
