/** What the queue needs of a log; pino's loggers fit. */
export interface QueueLog {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

export const SILENT: QueueLog = { debug() {}, info() {}, warn() {}, error() {} }
