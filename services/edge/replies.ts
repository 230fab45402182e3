/**
 * What the edge says, in one place: every reply with its code (RFC 5321), enhanced code (RFC 3463, 5248) and text. Tests
 * and documentation name them; nothing else writes a reply of its own.
 */
import { reply } from '@posthouse/core/reply'
import type { Reply } from '@posthouse/core/reply'

export const replies = {
  ok: reply(250, '2.0.0', 'Ok'),
  senderOk: reply(250, '2.1.0', 'Ok'),
  recipientOk: reply(250, '2.1.5', 'Ok'),
  startMail: reply(354, '', 'End data with <CR><LF>.<CR><LF>'),
  startTls: reply(220, '2.0.0', 'Ready to start TLS'),
  bye: reply(221, '2.0.0', 'Bye'),
  help: reply(214, '2.0.0', 'See RFC 5321'),
  cannotVerify: reply(252, '2.0.0', 'Cannot verify, but will take mail and try'),

  notRecognised: reply(500, '5.5.2', 'Command not recognised'),
  notImplemented: reply(502, '5.5.1', 'Command not implemented'),
  lineTooLong: reply(500, '5.5.2', 'Line too long'),
  bareLineFeed: reply(500, '5.5.2', 'Bare <LF> received: a command ends with <CR><LF>'),
  httpRequest: reply(421, '4.7.0', 'This is SMTP, not HTTP'),
  greetFirst: reply(503, '5.5.1', 'Send EHLO first'),
  badHelo: reply(501, '5.5.4', 'Bad host name in HELO or EHLO'),
  noArgument: reply(501, '5.5.4', 'This command takes no argument'),
  nestedMail: reply(503, '5.5.1', 'Nested MAIL command'),
  needMail: reply(503, '5.5.1', 'Need MAIL command'),
  needRecipient: reply(503, '5.5.1', 'Need RCPT command'),
  noValidRecipient: reply(554, '5.5.1', 'No valid recipients'),
  badSender: reply(501, '5.1.7', 'Bad sender address syntax'),
  badRecipient: reply(501, '5.1.3', 'Bad recipient address syntax'),
  badParameter: reply(501, '5.5.4', 'Bad parameter value'),
  unknownParameter: reply(555, '5.5.4', 'Parameter not recognised'),
  needSmtputf8: reply(553, '5.6.7', 'Address needs SMTPUTF8'),

  tlsFirst: reply(530, '5.7.0', 'Must issue a STARTTLS command first'),
  tlsForAuth: reply(538, '5.7.11', 'Encryption required for authentication'),
  tlsActive: reply(503, '5.5.1', 'TLS is active already'),
  authenticationRequired: reply(530, '5.7.0', 'Authentication required'),
  authenticationInvalid: reply(535, '5.7.8', 'Authentication credentials invalid'),
  authenticationBusy: reply(454, '4.7.0', 'Temporary authentication failure'),
  authenticationInTransaction: reply(503, '5.5.1', 'AUTH is not allowed during a mail transaction'),
  tooManyFailedLogins: reply(421, '4.7.0', 'Too many failed log-ins'),
  notListed: reply(550, '5.7.1', 'Relaying denied: the client is not in a listed network'),
  notOwner: reply(553, '5.7.1', 'Sender address not owned by the authenticated user'),

  tooLarge: reply(552, '5.3.4', 'Message size exceeds the limit'),
  tooManyRecipients: reply(452, '4.5.3', 'Too many recipients'),
  bareNewline: reply(554, '5.6.0', 'Bare <CR> or <LF> in the message: lines end with <CR><LF>'),
  mailLoop: reply(554, '5.4.6', 'Too many hops: mail loop'),

  queueFull: reply(452, '4.3.1', 'Insufficient system storage, try again later'),
  queueUnavailable: reply(451, '4.3.0', 'Queue unavailable, try again later'),
  internalError: reply(451, '4.3.0', 'Internal error, try again later'),

  shuttingDown: reply(421, '4.3.2', 'Service shutting down, closing connection'),
  nodeBusy: reply(421, '4.3.2', 'Too many connections, try again later'),
  clientBusy: reply(421, '4.7.0', 'Too many connections from your address'),
  tooEarly: reply(421, '4.7.0', 'You talk before the greeting'),
  tooManyErrors: reply(421, '4.7.0', 'Too many errors, closing connection'),
  idle: reply(421, '4.4.2', 'Idle for too long, closing connection'),
  tooSlow: reply(421, '4.4.2', 'Data comes too slowly, closing connection'),
  sessionTooLong: reply(421, '4.4.2', 'Session lasts too long, closing connection'),
} as const satisfies Readonly<Record<string, Reply>>

export type ReplyName = keyof typeof replies

/** The names of all replies that refuse something: the values of a label. */
export const refusals = (Object.keys(replies) as ReplyName[]).filter((name) => replies[name].code >= 400)

export function queuedAs(id: string): string {
  return `250 2.0.0 Ok: queued as ${id}\r\n`
}
