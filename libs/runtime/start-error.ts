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
