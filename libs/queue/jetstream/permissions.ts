/**
 * What each kind of process says to the NATS servers and hears from them: the subjects its NATS user needs, and no others.
 * Everything here is used by the code of this folder; a subject it does not list is refused by servers that were
 * configured with it (docs/nats.md). A stream's name is one token, so that `*` stands for all streams of the account: the
 * account should be Posthouse's own.
 *
 * Permissions say to what a user may publish, not where the answer goes: that is written on behalf of the server, wherever it is. A
 * reader in the account of the streams could have a message it reads sent to the subject that purges them. Readers
 * are therefore in an account of their own, and only their requests are let through: an answer stays in the asker's account.
 */
import { ABANDONED, EDGE_USES, HEARTBEATS, LEASES, LOG_KINDS, NUDGES } from './subjects.ts'

/** The kinds of processes that talk to the queue. */
export type QueueUser = 'edge' | 'delivery' | 'cli'
export const queueUsers: readonly QueueUser[] = ['edge', 'delivery', 'cli']

export interface Permissions {
  /** Where it is not the account of the streams, `publish` is what that one lets through. */
  readonly account: 'POSTHOUSE' | 'POSTHOUSE_CLI'
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** Answers go to subjects below it; users cannot hear each other's. */
export const inboxPrefix = (user: QueueUser) => `_INBOX.${user}`

const api = (...subjects: string[]) => subjects.map((subject) => `$JS.API.${subject}`)

/** How the account, the streams and their leaders are. It tells nothing of a message but its subject. */
const LOOK = api('INFO', 'STREAM.NAMES', 'STREAM.INFO.*')

/** Messages by their sequence, and a log in order by a consumer that lives as long as the reading. */
const READ = api(
  'STREAM.MSG.GET.*',
  'DIRECT.GET.*',
  'CONSUMER.CREATE.*.*',
  'CONSUMER.MSG.NEXT.*.*',
  'CONSUMER.DELETE.*.*',
)

/** Large bodies, chunk by chunk. */
const READ_BODIES = api('DIRECT.GET.*.body.*.*.*')

/** Only who may remove messages may make and change streams: a change of a limit removes messages too. */
const OWN = api(
  'STREAM.CREATE.*',
  'STREAM.UPDATE.*',
  'STREAM.PURGE.*',
  'STREAM.MSG.DELETE.*',
  'STREAM.LEADER.STEPDOWN.*',
)

const PERMISSIONS: Readonly<Record<QueueUser, Permissions>> = {
  // Puts mail in; cannot take any out, nor read it.
  edge: {
    account: 'POSTHOUSE',
    publish: [...LOOK, 'mail.*.*', 'body.*.*.*', NUDGES, ABANDONED, EDGE_USES],
    subscribe: [`${inboxPrefix('edge')}.>`, LEASES, EDGE_USES],
  },
  // Reads mail, says what became of it and removes it. All it puts into MAIL and BODY are marks: a batch of no mails, an empty chunk.
  delivery: {
    account: 'POSTHOUSE',
    publish: [
      ...LOOK,
      ...READ,
      ...READ_BODIES,
      ...OWN,
      'mail.*.0',
      'body.*.*.0',
      ...LOG_KINDS.map((kind) => `log.*.${kind}`),
      HEARTBEATS,
    ],
    subscribe: [`${inboxPrefix('delivery')}.>`, LEASES, NUDGES, ABANDONED, HEARTBEATS],
  },
  // Looks at the queue.
  cli: {
    account: 'POSTHOUSE_CLI',
    publish: [...LOOK, ...READ],
    subscribe: [`${inboxPrefix('cli')}.>`],
  },
}

export function permissionsOf(user: QueueUser): Permissions {
  return PERMISSIONS[user]
}
