/** Names of the streams and subjects of the queue. Nothing outside this folder knows them. */

export const mailStream = (partition: number) => `MAIL_${partition}`
export const logStream = (partition: number) => `LOG_${partition}`
export const bodyStream = (partition: number) => `BODY_${partition}`

export const mailSubject = (partition: number, mails: number) => `mail.${partition}.${mails}`
export const mailSubjects = (partition: number) => `mail.${partition}.*`

export type LogKind = 'lease' | 'outcome' | 'later' | 'accepted' | 'late'
/** Those that owners, former ones among them, write. */
export const LOG_KINDS: readonly LogKind[] = ['lease', 'outcome', 'later', 'late']
export const logSubject = (partition: number, kind: LogKind) => `log.${partition}.${kind}`
export const logSubjects = (partition: number) => `log.${partition}.*`

export const bodySubject = (partition: number, body: string, chunk: number) => `body.${partition}.${body}.${chunk}`
export const bodyChunks = (partition: number, body: string) => `body.${partition}.${body}.*`
export const bodySubjects = (partition: number) => `body.${partition}.*.*`

/** What lies in a body stream only to be newer than what is removed; nobody refers to it. */
export const markId = (id: string) => `mark-${id}`
export const isMark = (body: string) => body.startsWith('mark-')

/** Undefined: not a chunk of a body. */
export function bodyOfSubject(subject: string): string | undefined {
  return /^body\.\d+\.([^.]+)\.\d+$/.exec(subject)?.[1]
}

/** Core NATS, kept by nobody. */
export const nudgeSubject = (partition: number) => `posthouse.nudge.${partition}`
export const NUDGES = 'posthouse.nudge.*'
export const abandonedSubject = (partition: number) => `posthouse.abandoned.${partition}`
export const ABANDONED = 'posthouse.abandoned.*'
export const HEARTBEATS = 'posthouse.heartbeat.delivery'
export const EDGE_USES = 'posthouse.use.edge'
export const FIGURES = 'posthouse.figures'
export const ADMINS = 'posthouse.heartbeat.admin'
export const TRACES = 'posthouse.trace'
export const DEAD_LETTERS = 'posthouse.deadletters'
export const LEASES = 'log.*.lease'

export function kindOfLogSubject(subject: string): LogKind | undefined {
  const kind = subject.slice(subject.lastIndexOf('.') + 1)
  return kind === 'accepted' || LOG_KINDS.includes(kind as LogKind) ? (kind as LogKind) : undefined
}

export function partitionOfLease(subject: string): number | undefined {
  const found = /^log\.(\d+)\.lease$/.exec(subject)
  return found ? Number(found[1]) : undefined
}

/** A body's id is one token of a subject. */
export const isBodyId = (id: string) => /^[\w-]{1,64}$/.test(id)

export function checkBodyId(id: string): string {
  if (!isBodyId(id)) throw new RangeError(`a body's id must be letters, digits, - or _: ${JSON.stringify(id)}`)
  return id
}
