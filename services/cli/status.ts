// Exit statuses, the same for every command: scripts may rely on them. Numbers as in sysexits.h where it has one.

export const STATUS = {
  done: 0,
  /** It was understood, and cannot be done: no such user, no such message. */
  failed: 1,
  /** Wrong command line. */
  usage: 64,
  /** The queue does not answer, or the edge does not take the message of a probe. */
  unavailable: 69,
  /** Wrong or missing settings. */
  config: 78,
} as const

export type Status = (typeof STATUS)[keyof typeof STATUS]

/** What a command came to. One line per mistake, so that scripts can count them. */
export interface Failed {
  readonly is: 'failed'
  readonly status: Exclude<Status, 0>
  readonly lines: readonly string[]
  /** What `--json` prints in place of the lines alone. */
  readonly json?: object
}
export interface Answer {
  readonly is: 'answer'
  /** One line of JSON for programs… */
  readonly json: object
  /** …and the same for people, without the last newline; empty prints nothing. */
  readonly text: string
}

/** The command has printed all it had to say itself, as it came. */
export interface Streamed {
  readonly is: 'streamed'
}
export type Result = Answer | Streamed | Failed

export function failed(status: keyof Omit<typeof STATUS, 'done'>, ...lines: string[]): Failed {
  return { is: 'failed', status: STATUS[status], lines }
}

export function isFailed(value: unknown): value is Failed {
  return typeof value === 'object' && value !== null && 'is' in value && value.is === 'failed'
}
