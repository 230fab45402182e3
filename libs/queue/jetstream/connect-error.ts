/** Why the NATS servers do not take this process, in one line that begins with the setting to look at. */
import { explainTls, type NatsTls } from './nats-tls.ts'

export interface Dialled {
  readonly servers: readonly string[]
  readonly tls?: NatsTls | undefined
}

/** Nobody is there; which may be different in a moment, as nothing was refused. */
export class NoServerError extends Error {}

export function connectError(error: unknown, { servers, tls }: Dialled): Error {
  const name = error instanceof Error ? error.name : ''
  const text = error instanceof Error ? error.message : String(error)
  // One that says it already: of the files, or of permissions.
  if (/^nats\.[a-zA-Z.]+: /.test(text)) return error as Error
  if (name === 'AuthorizationError') {
    return new Error(`nats.user, nats.passwordFile: the NATS servers refuse the log-in`, { cause: error })
  }
  const handshake = explainTls(error, tls)
  if (handshake !== undefined) return new Error(handshake, { cause: error })
  return new NoServerError(`nats.servers: no NATS server answers at ${servers.join(', ')} (${text})`, { cause: error })
}

/** `text` is the servers' own: it names the subject. */
export function forbiddenError(text: string): Error {
  return new Error(`nats.user: this NATS user may not do what this process needs: ${text} (see docs/nats.md)`)
}
