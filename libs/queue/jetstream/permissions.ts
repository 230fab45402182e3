/**
 * What each kind of process says to the NATS servers and hears from them: the subjects its NATS user needs, and no others.
 * Everything here is used by the code of this folder; a subject it does not list is refused by servers that were
 * configured with it (docs/nats.md). A stream's name is one token, so that `*` stands for all streams of the account: the
 * account should be Posthouse's own.
 *
 * Permissions say to what a user may publish, not where the answer goes: that is written on behalf of the server, wherever it is. A
 * reader in the account of the streams could have a message it reads sent to the subject that purges them. Readers
 * are therefore in an account of their own, and only their requests are let through: an answer stays in the asker's account. What
 * they say to each other stays there too, and of what is said in the account of the streams they hear what it names here.
 */
import {
  ABANDONED,
  ADMINS,
  DEAD_LETTERS,
  EDGE_USES,
  FIGURES,
  HEARTBEATS,
  LEASES,
  LOG_KINDS,
  NUDGES,
  TRACES,
} from './subjects.ts'

/** The kinds of processes that talk to the queue. */
export type QueueUser = 'edge' | 'delivery' | 'admin' | 'cli'
export const queueUsers: readonly QueueUser[] = ['edge', 'delivery', 'admin', 'cli']

/** The account of the streams. */
export const STREAMS_ACCOUNT = 'POSTHOUSE'
const READERS_ACCOUNT = 'POSTHOUSE_CLI'

export interface Permissions {
  readonly account: typeof STREAMS_ACCOUNT | typeof READERS_ACCOUNT
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** An account of readers: what they ask in the account of the streams, and what they hear of it. */
export interface ReadersAccount {
  readonly name: string
  readonly users: readonly QueueUser[]
  readonly services: readonly string[]
  readonly streams: readonly string[]
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
    publish: [...LOOK, 'mail.*.*', 'body.*.*.*', 'log.*.accepted', NUDGES, ABANDONED, EDGE_USES],
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
      FIGURES,
    ],
    subscribe: [`${inboxPrefix('delivery')}.>`, LEASES, NUDGES, ABANDONED, HEARTBEATS],
  },
  // Looks at the queue, reads the logs, and answers who asks for the story of a message.
  admin: {
    account: 'POSTHOUSE_CLI',
    publish: [...LOOK, ...READ, ADMINS, `${inboxPrefix('cli')}.>`],
    subscribe: [`${inboxPrefix('admin')}.>`, LEASES, FIGURES, ADMINS, TRACES, DEAD_LETTERS],
  },
  // Looks at the queue.
  cli: {
    account: 'POSTHOUSE_CLI',
    publish: [...LOOK, ...READ, TRACES, DEAD_LETTERS],
    subscribe: [`${inboxPrefix('cli')}.>`, LEASES],
  },
}

/** Said by the delivery nodes, heard by readers. */
const SHARED = new Set([LEASES, FIGURES])

export function readersAccount(): ReadersAccount {
  const users = queueUsers.filter((user) => PERMISSIONS[user].account === READERS_ACCOUNT)
  const all = (of: (permissions: Permissions) => readonly string[]) => [
    ...new Set(users.flatMap((user) => of(PERMISSIONS[user]))),
  ]
  return {
    name: READERS_ACCOUNT,
    users,
    services: all(({ publish }) => publish).filter((subject) => subject.startsWith('$JS.API.')),
    streams: all(({ subscribe }) => subscribe).filter((subject) => SHARED.has(subject)),
  }
}

export function permissionsOf(user: QueueUser): Permissions {
  return PERMISSIONS[user]
}
