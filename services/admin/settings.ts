/** The settings of an admin node. */
import { eventTypes } from '@posthouse/core/event'
import { commonSettings, queueSettings } from '@posthouse/runtime/settings/common'
import { defineSettings } from '@posthouse/runtime/settings/table'
import type { Settings } from '@posthouse/runtime/settings/table'
import { MOST_WEBHOOKS } from './metrics.ts'

export const settingsTable = defineSettings({
  ...commonSettings,
  ...queueSettings,
  'data.folder': {
    type: 'string',
    format: 'path',
    default: '/var/lib/posthouse',
    optional: true,
    help: 'Folder of the index of events and of what the webhooks have got. The index may be lost at any time: it is made again from the queue. Empty: in memory, 256 MiB at most.',
  },
  'events.keep': {
    type: 'duration',
    min: '1h',
    max: '365d',
    default: '7d',
    help: 'How long the index keeps a message after its last event. The logs of the queue are kept for 7 days: what is older cannot be made again.',
  },
  'events.room': {
    type: 'bytes',
    min: '16MiB',
    max: '16TiB',
    default: '8GiB',
    help: 'Room of the index; above it the oldest messages go before their time.',
  },
  webhooks: {
    type: 'objects',
    max: MOST_WEBHOOKS,
    default: [],
    help: 'Receivers of events over HTTP: docs/webhooks.md.',
    item: {
      name: {
        type: 'string',
        format: 'name',
        help: 'Its name in log lines and metrics; with another name it is a new webhook, which gets events from then on.',
      },
      url: {
        type: 'string',
        format: 'url',
        help: 'Where events are sent by POST. Without user and password; of what stands here the log shows only the host.',
      },
      secretFile: {
        type: 'string',
        format: 'path',
        help: 'File with the secret that signs the requests, 16 characters at least.',
      },
      events: {
        type: 'list',
        max: eventTypes.length,
        default: [],
        help: `Types of the events that it gets, of ${eventTypes.join(', ')}; empty: all.`,
      },
      caFile: {
        type: 'string',
        format: 'path',
        optional: true,
        help: 'Authorities that sign the certificate of the receiver, PEM; leave out for the usual ones.',
      },
    },
  },
  'webhookLimits.timeout': {
    type: 'duration',
    min: '100ms',
    max: '5m',
    default: '10s',
    help: 'How long the reply of a receiver is waited for.',
  },
  'webhookLimits.requests': {
    type: 'integer',
    min: 1,
    max: 100,
    unit: 'requests',
    default: 4,
    help: 'Requests to one webhook at a time; events of one message are never in two of them.',
  },
  'webhookLimits.eventsPerRequest': {
    type: 'integer',
    min: 1,
    max: 1000,
    unit: 'events',
    default: 100,
    help: 'Events in one request at most.',
  },
  'webhookRetry.first': {
    type: 'duration',
    min: '100ms',
    max: '1h',
    default: '5s',
    help: 'Wait after the first failed request; it doubles with each further one.',
  },
  'webhookRetry.longest': {
    type: 'duration',
    min: '100ms',
    max: '1d',
    default: '10m',
    help: 'Longest wait between two requests with the same events.',
  },
  'webhookRetry.giveUpAfter': {
    type: 'duration',
    min: '1s',
    max: '30d',
    default: '3d',
    help: 'An event that is not taken within this becomes a dead letter.',
  },
})

export type AdminSettings = Settings<typeof settingsTable>
