// The names of what spans say. Those of OpenTelemetry's semantic conventions where there is one (1.45: general, TLS and
// messaging attributes); for SMTP it has none, so the rest is `posthouse.*`. No span names a person: users, senders,
// recipients and the text of replies, which repeats them, are in the log, under the same trace id.
import type { Attributes } from './tracing.ts'

export const attribute = {
  /** The client of a session, as the load balancer names it. */
  clientAddress: 'client.address',
  /** The host spoken to, by name; for the edge, its own. */
  serverAddress: 'server.address',
  serverPort: 'server.port',
  /** The host's address; what a SOCKS proxy is asked for, if there is one in between. */
  peerAddress: 'network.peer.address',
  protocol: 'network.protocol.name',
  transport: 'network.transport',
  tlsProtocol: 'tls.protocol.name',
  tlsVersion: 'tls.protocol.version',
  tlsCipher: 'tls.cipher',
  /** The SMTP code that decided, else the status (RFC 3463) of our own finding, else one word. */
  errorType: 'error.type',
  messagingSystem: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  /** The queue id. */
  messageId: 'messaging.message.id',
  /** Bytes between DATA and the final dot. */
  messageSize: 'messaging.message.body.size',

  role: 'posthouse.listener.role',
  /** Somebody had logged in; the log says who. */
  authenticated: 'posthouse.authenticated',
  /** Recipients that the span is about. */
  recipients: 'posthouse.recipients',
  /** accepted, refused, unknown; delivered, deferred, bounced, expired, or mixed: then the counts tell. */
  outcome: 'posthouse.outcome',
  /** Number of the attempt on these recipients, from 1. */
  attempt: 'posthouse.attempt',
  destination: 'posthouse.destination',
  /** The message is a report to a sender (RFC 3464). */
  isReport: 'posthouse.report',
  /** Reply code and enhanced code (RFC 5321 4.2, RFC 3463) that decided. */
  replyCode: 'posthouse.smtp.reply_code',
  enhancedCode: 'posthouse.smtp.enhanced_code',
} as const

/** Of a connection's TLS in words, "TLSv1.3 TLS_AES_256_GCM_SHA384" or "TLSv1.2 with cipher …"; nothing for plain. */
export function tlsAttributes(words: string | undefined): Attributes {
  const match = /^(TLS|SSL)v(\d(?:\.\d)?) .*?(\S+)$/.exec(words ?? '')
  if (match === null) return {}
  const [, name = '', version = '', cipher = ''] = match
  return {
    [attribute.tlsProtocol]: name.toLowerCase(),
    [attribute.tlsVersion]: version,
    [attribute.tlsCipher]: cipher,
  }
}
