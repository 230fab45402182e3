// The settings every Posthouse process has. A service's table begins with `...commonSettings`; one that talks to the queue
// adds `...queueSettings`.
import { defineSettings } from './table.ts'

export const commonSettings = defineSettings({
  name: {
    type: 'string',
    format: 'name',
    help: 'Name of this node, unique among the nodes of its kind, such as edge-1.',
  },
  hostname: { type: 'string', format: 'host', help: 'SMTP name of this node: banner, HELO and Received.' },
  'http.host': {
    type: 'string',
    format: 'host',
    default: '127.0.0.1',
    help: 'Address of /livez, /readyz and /metrics.',
  },
  'http.port': {
    type: 'integer',
    min: 0,
    max: 65535,
    help: 'Port of /livez, /readyz and /metrics; 0 takes a free one.',
  },
  'log.level': {
    type: 'enum',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    default: 'info',
    help: 'The least important line that is written.',
  },
  'log.format': {
    type: 'enum',
    values: ['json', 'pretty'],
    default: 'json',
    help: 'json for collectors, pretty for a terminal.',
  },
  'tracing.endpoint': {
    type: 'string',
    format: 'url',
    default: '',
    help: 'OTLP/HTTP collector, such as http://127.0.0.1:4318; empty turns tracing off, at no cost.',
  },
  'tracing.oneIn': {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    unit: 'messages',
    default: 1,
    help: 'One new trace in so many messages. Edges decide; delivery nodes continue what was begun, whatever they have here.',
  },
  'stop.notReadyFor': {
    type: 'duration',
    min: '0s',
    max: '5m',
    default: '0s',
    help: 'How long a stopping node says "not ready" before it stops taking new work, for load balancers to notice.',
  },
  'stop.deadline': {
    type: 'duration',
    min: '1s',
    max: '1h',
    default: '25s',
    help: 'A stop that takes longer is cut off, with a line on what was still under way.',
  },
})

export const queueSettings = defineSettings({
  'nats.servers': {
    type: 'list',
    format: 'host:port',
    min: 1,
    default: ['127.0.0.1:4222'],
    help: 'NATS servers of the queue; name all of them, so that any one may be down at start.',
  },
  'nats.user': { type: 'string', optional: true, help: 'NATS user; leave out for servers without authentication.' },
  'nats.password': { type: 'secret', optional: true, help: 'Password of the NATS user.' },
  'nats.patience': {
    type: 'duration',
    min: '0s',
    max: '10m',
    default: '45s',
    help: 'How long a node that starts waits for NATS servers that do not answer yet, and again for the streams of the queue.',
  },
  'nats.tls.caFile': {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Authorities that sign the certificates of the NATS servers, PEM; with it connections are made by TLS only. Read again at each connection.',
  },
  'nats.tls.certFile': {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Certificate of this process, PEM, for NATS servers that want one; read again at each connection.',
  },
  'nats.tls.keyFile': {
    type: 'string',
    format: 'path',
    optional: true,
    help: 'Private key of that certificate, PEM; read again at each connection.',
  },
  'queue.partitions': {
    type: 'integer',
    min: 1,
    max: 64,
    unit: 'partitions',
    default: 6,
    help: 'Partitions of the queue, the same on every node; may grow while the cluster runs, never shrink.',
  },
  'queue.replicas': {
    type: 'integer',
    min: 1,
    max: 5,
    unit: 'replicas',
    default: 3,
    help: 'Copies of every message; 3 survives the loss of any one server.',
  },
  'queue.storage': {
    type: 'bytes',
    min: '64MiB',
    max: '64TiB',
    default: '3840MiB',
    help: 'Room for the queue on each NATS server; it must fit their max_file_store, and is fixed when the streams are made.',
  },
})
