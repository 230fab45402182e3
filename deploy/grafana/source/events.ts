// What the admin nodes do with the events: keep them in an index, answer questions from it, send them to webhooks.
import { NODE, graph, line, notZero, row, times } from './panel.ts'

export const eventsAndWebhooks = row(
  'Events and webhooks, at the admin nodes',
  line(
    7,
    graph({
      title: 'Who exports',
      description:
        'One admin node exports the figures of the queue and of NATS, and sends to webhooks. Act when all is not 1 for minutes: no admin node reaches NATS, or they do not hear each other.',
      unit: 'none',
      queries: { [NODE]: 'posthouse_admin_exports', all: 'sum(posthouse_admin_exports)' },
    }),
    graph({
      title: 'Events',
      description: 'Events written to the index of a node, by type. Act when all are flat while mail flows.',
      unit: '/s',
      queries: { '{{type}}': 'max by (type) (rate(posthouse_admin_events_total[$__rate_interval]))' },
    }),
    graph({
      title: 'The index is late by',
      description:
        'How long the index has not had all entries of the logs. Act when it is above 60 s: traces are old, and webhooks late.',
      unit: 's',
      queries: { [NODE]: 'posthouse_admin_index_lag_seconds' },
      warn: 60,
      act: 300,
    }),
    graph({
      title: 'Entries not indexed yet',
      description: 'Entries of the logs that the index has not got yet. Act when it grows: the node is too slow.',
      unit: 'none',
      queries: { [NODE]: 'posthouse_admin_index_lag_entries' },
    }),
  ),
  line(
    7,
    graph({
      title: 'Time to index a batch',
      description:
        'Time to write one batch of events to the index. Act when 99 of 100 near a second: the disk is too slow, and the node answers nothing meanwhile.',
      unit: 's',
      queries: times('posthouse_admin_projection_seconds'),
      act: 1,
    }),
    graph({
      title: 'Size of the index',
      description: 'Act when it nears the room of data.folder: lower events.keep.',
      unit: 'bytes',
      queries: { [NODE]: 'posthouse_admin_index_bytes' },
    }),
    graph({
      title: 'Events missed',
      description:
        'Times that entries were gone before a node read them, and that it built its index anew; events for which the log had no room, or that were forgotten before a webhook got them; acceptances that are told only with the first outcome. Act on any that does not come with a first start: the node or the receiver was away for too long, or a disk is damaged.',
      unit: '/s',
      queries: {
        'no room in the log': 'sum(rate(posthouse_delivery_lost_events_total[$__rate_interval]))',
        'acceptances told late': 'sum(rate(posthouse_edge_untold_acceptances_total[$__rate_interval]))',
        gaps: 'sum(rate(posthouse_admin_event_gaps_total[$__rate_interval]))',
        'by a webhook': 'sum(rate(posthouse_admin_webhook_missed_events_total[$__rate_interval]))',
        'built anew: {{reason}}': 'sum by (reason) (rate(posthouse_admin_index_rebuilt_total[$__rate_interval]))',
      },
    }),
    graph({
      title: 'Questions for traces',
      description: 'Questions for the story of messages, by result. Act on any failed: the log says why.',
      unit: '/s',
      queries: { '{{result}}': 'sum by (result) (rate(posthouse_admin_traces_total[$__rate_interval]))' },
    }),
  ),
  line(
    7,
    graph({
      title: 'Requests to webhooks',
      description:
        'By result: delivered, failed (tried again), gone (given up). Act when failed outgrows delivered: the receiver is down, or refuses.',
      unit: '/s',
      queries: {
        '{{result}}': 'sum by (result) (rate(posthouse_admin_webhook_requests_total[$__rate_interval]))',
      },
    }),
    graph({
      title: 'Waiting for webhooks',
      description:
        'Events that a webhook has not got yet; none when all have all. Act when it grows: the receiver is too slow, or down.',
      unit: 'none',
      queries: {
        '{{webhook}}': notZero('max by (webhook) (posthouse_admin_webhook_waiting_events)', 'webhook'),
      },
    }),
    graph({
      title: 'Oldest for webhooks',
      description:
        'How long the oldest event has waited for a webhook. Act when it is above some minutes; above webhookRetry.giveUpAfter it becomes a dead letter.',
      unit: 's',
      queries: {
        '{{webhook}}': notZero('max by (webhook) (posthouse_admin_webhook_oldest_age_seconds)', 'webhook'),
      },
      act: 900,
    }),
    graph({
      title: 'Dead letters',
      description:
        'Events given up and kept with the reason, by webhook. Act on any: the receiver lacks them, the log says which.',
      unit: 'none',
      queries: {
        '{{webhook}}': notZero('max by (webhook) (posthouse_admin_webhook_dead_letters)', 'webhook'),
      },
      act: 1,
    }),
  ),
  line(
    7,
    graph({
      title: 'Messages in the index',
      description: 'Act when nodes differ for hours: one of them lost its index, or misses events.',
      unit: 'none',
      queries: { [NODE]: 'posthouse_admin_index_messages' },
    }),
    graph({
      title: 'Read again, and forgotten',
      description:
        'Events that the index had already, which is normal after a restart, and messages forgotten for their age. Act when many are forgotten that are younger than events.keep: events.room is too small.',
      unit: '/s',
      queries: {
        'read again': 'sum(rate(posthouse_admin_events_repeated_total[$__rate_interval]))',
        forgotten: 'sum(rate(posthouse_admin_index_expired_messages_total[$__rate_interval]))',
      },
    }),
    graph({
      title: 'Time to answer a question',
      description: 'For the story of messages. Act when 99 of 100 near a second.',
      unit: 's',
      queries: times('posthouse_admin_trace_seconds'),
      act: 1,
    }),
    graph({
      title: 'Time of a request to a webhook',
      description: 'Until its reply. Act when 99 of 100 near webhookLimits.timeout.',
      unit: 's',
      queries: times('posthouse_admin_webhook_request_seconds'),
    }),
  ),
)
