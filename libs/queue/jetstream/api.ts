/** Requests to the JetStream API with JSON answers, and how their errors are named. */
import type { Links } from './links.ts'

/** Codes of the servers' errors.json that mean something to us. */
export const CODE = {
  /** Of our own: the NATS user may not ask this. */
  forbidden: -1,
  accountFull: 10002,
  noPeers: 10005,
  notAvailable: 10008,
  serverFull: 10023,
  noMessage: 10037,
  notEnabledForAccount: 10039,
  sequenceNotFound: 10043,
  noStorage: 10047,
  deleteFailed: 10057,
  nameInUse: 10058,
  streamNotFound: 10059,
  wrongLast: 10071,
  noReplicas: 10074,
  notEnabled: 10076,
  storeFailed: 10077,
  streamBytesLimit: 10122,
  inFlight: 10158,
  busy: 10164,
} as const

export interface ApiError {
  readonly code: number
  readonly err_code?: number
  readonly description?: string
}

export type ApiAnswer<T> =
  | { readonly is: 'ok'; readonly value: T }
  | { readonly is: 'error'; readonly code: number; readonly text: string }
  | { readonly is: 'unanswered' }

/**
 * Every member of a group that has no leader answers 10008, also one that has just not heard of the leader: any other
 * answer that follows within the time is preferred.
 */
export async function api<T>(
  links: Links,
  subject: string,
  body: object | undefined,
  ms: number,
): Promise<ApiAnswer<T>> {
  const payload = body === undefined ? '' : JSON.stringify(body)
  let answer = { is: 'unanswered' } as ApiAnswer<T>
  const reply = await links.converse(`$JS.API.${subject}`, payload, undefined, ms, (message) => {
    const read = readAnswer<T>(message.string())
    if (read === undefined) return true
    answer = read
    return read.is !== 'error' || read.code !== CODE.notAvailable
  })
  if (reply.is === 'forbidden') return { is: 'error', code: CODE.forbidden, text: reply.text }
  if (reply.is === 'no-responders') return { is: 'error', code: CODE.notEnabled, text: 'no responders' }
  return answer
}

function readAnswer<T>(text: string): ApiAnswer<T> | undefined {
  let json: T & { readonly error?: ApiError }
  try {
    json = JSON.parse(text) as typeof json
  } catch {
    return undefined
  }
  const { error } = json
  return error === undefined
    ? { is: 'ok', value: json }
    : { is: 'error', code: error.err_code ?? error.code, text: error.description ?? '' }
}

export interface StreamConfig {
  readonly name: string
  readonly subjects: readonly string[]
  readonly retention: string
  readonly storage: string
  readonly discard: string
  readonly max_bytes: number
  readonly max_age: number
  readonly num_replicas: number
  readonly duplicate_window: number
  readonly allow_direct: boolean
}

export interface StreamInfo {
  readonly config: StreamConfig & Readonly<Record<string, unknown>>
  readonly state: {
    readonly messages: number
    readonly bytes: number
    readonly first_seq: number
    readonly last_seq: number
    readonly subjects?: Readonly<Record<string, number>>
  }
  readonly cluster?: {
    readonly leader?: string
    readonly replicas?: readonly ReplicaInfo[]
  }
}

export interface ReplicaInfo {
  readonly name: string
  readonly current: boolean
  readonly offline?: boolean
  /** ns since the one that answers last heard of it; 0: never. */
  readonly active?: number
  /** Operations it has yet to get. */
  readonly lag?: number
}

export interface AccountInfo {
  readonly storage: number
  readonly limits: { readonly max_storage: number }
}

/** A message as STREAM.MSG.GET gives it. */
export interface ApiMessage {
  readonly message: { readonly seq: number; readonly time: string; readonly hdrs?: string; readonly data?: string }
}

export const streamInfo = (links: Links, stream: string, ms: number, filter?: string) =>
  api<StreamInfo>(links, `STREAM.INFO.${stream}`, filter === undefined ? undefined : { subjects_filter: filter }, ms)

/** A stream with a page of its subjects: the servers give 100 000 at once. `total`: of all pages. */
export const streamSubjects = (links: Links, stream: string, ms: number, filter: string, offset: number) =>
  api<StreamInfo & { readonly total?: number }>(links, `STREAM.INFO.${stream}`, { subjects_filter: filter, offset }, ms)
