// A start that failed for a reason outside the program (port taken, NATS absent, certificate missing): one line that names
// the setting to look at, no stack.

export class StartError extends Error {
  /** The path of the setting that decides about it, such as "http.port". */
  readonly setting: string

  constructor(setting: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'StartError'
    this.setting = setting
  }
}

/** Libraries that know no StartError begin their one line with the setting to blame, as in "nats.servers: nobody answers". */
export function asStartError(error: unknown): unknown {
  const match = error instanceof Error ? /^([a-z][A-Za-z.]*)(?:, [a-zA-Z.]+)*: (.*)$/s.exec(error.message) : null
  return match === null ? error : new StartError(match[1] ?? '', match[2] ?? '', { cause: error })
}
