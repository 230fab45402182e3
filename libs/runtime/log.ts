// The log of a process: pino, one JSON object a line on standard error, secrets and bodies redacted. Lines are buffered for
// up to 100 ms (a kill -9 may lose those; an orderly exit does not), because the hot path writes one per message and stage.
import { pino } from 'pino'
import type { DestinationStream, Level } from 'pino'
import { BufferedOutput } from './buffered-output.ts'
import { redact } from './redact.ts'

/** Fields first, then a constant message: lines are found by message and told apart by fields. */
export interface LogMethod {
  (fields: object, message: string): void
  (message: string): void
}

export interface Log {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** A log whose every line carries these fields. One per session or partition, not one per message. */
  child(fields: object): Log
  /** For lines that are dear to build. */
  isLevelEnabled(level: Level): boolean
  /** Lines left out since the start, for the metric of it. */
  suppressed(): number
  /** Counts a line that its writer left out (limited-log.ts). */
  leaveOut(): void
  /** Resolves when everything has been written out. */
  drain(): Promise<void>
  /** For an exit that cannot wait: writes out what is buffered, before it returns. */
  flush(): void
}

export interface LogOptions {
  readonly level: Level
  readonly format: 'json' | 'pretty'
  /** Fields of every line: the service and the node. */
  readonly base: Readonly<Record<string, string>>
  /** Tests write elsewhere than to standard error. */
  readonly destination?: DestinationStream
  /** pino-pretty is for development and need not be installed. */
  readonly loadPretty?: () => Promise<Pretty>
}

type Pretty = Pick<typeof import('pino-pretty'), 'build'>

export async function createLog(options: LogOptions): Promise<Log> {
  let note: string | undefined
  let stream: DestinationStream
  let output: BufferedOutput | undefined
  let pretty: Pretty | undefined
  if (options.format === 'pretty')
    try {
      pretty = await (options.loadPretty ?? (() => import('pino-pretty')))()
    } catch {
      note = 'log.format: pino-pretty is not installed: logging JSON instead'
    }
  if (pretty !== undefined)
    stream = pretty.build({
      destination: options.destination ?? 2,
      sync: true,
      colorize: process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,hostname,service,node',
      messageFormat: '{node} {msg}',
      singleLine: true,
    })
  else if (options.destination !== undefined) stream = options.destination
  else {
    // Asking Node for its standard error also makes the descriptor non-blocking: a reader that stalls then costs log
    // lines (see there), not a thread, and cannot keep the process from ending.
    output = new BufferedOutput(process.stderr.fd)
    process.once('exit', () => output?.flushSync())
    stream = output
  }
  const logger = pino(
    {
      level: options.level,
      base: options.base,
      timestamp: timestamp(Date.now),
      formatters: { level: (label) => ({ level: label }), log: redact },
      // Errors are made plain by redact already.
      serializers: { err: (value: unknown) => value },
    },
    stream,
  )
  const child = logger.child
  // pino formats a child's bindings without our formatter; children inherit this from the root.
  logger.child = function (this: typeof logger, fields: object) {
    return child.call(this, redact(fields))
  } as typeof logger.child
  let leftOut = 0
  const log = Object.assign(logger as unknown as Log, {
    suppressed: () => leftOut + (output?.dropped ?? 0),
    leaveOut: () => void (leftOut += 1),
    drain: () => output?.drain() ?? Promise.resolve(),
    flush: () => output?.flushSync(),
  })
  if (note !== undefined) log.warn(note)
  return log
}

/** RFC 3339 with milliseconds; made once per millisecond, not once per line. */
function timestamp(now: () => number): () => string {
  let last = 0
  let text = ''
  return () => {
    const time = now()
    if (time !== last) {
      last = time
      text = `,"time":"${new Date(time).toISOString()}"`
    }
    return text
  }
}
