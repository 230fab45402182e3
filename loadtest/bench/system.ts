// A mail relay under measurement: where it takes mail, where it brings it to, and which processes it is made of.

import type { SmtpSink } from './smtp-sink.ts'

export interface System extends AsyncDisposable {
  readonly name: string
  readonly version: string
  readonly host: string
  readonly port: number
  readonly sink: SmtpSink
  /** Messages it needs before it runs at full speed. */
  readonly warmUp: number
  /** Process ids by part. */
  groups(): Promise<Record<string, number[]>>
}
