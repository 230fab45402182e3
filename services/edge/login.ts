/** The log-ins of one session: checked, counted, and slower to answer with every wrong one. */
import type { User } from '@posthouse/core/users'
import type { ReplyName } from './replies.ts'
import type { Session } from './session.ts'

const mostFailures = 3
/** Of a name that somebody typed or guessed, so much goes to the log. */
const loggedName = 128

export type LoginDone = (user: User | undefined, refusal?: ReplyName) => void

export class Login {
  readonly #session: Session
  #failures = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** `done` is called once, unless the session ends before. */
  check(name: string, password: string, done: LoginDone): void {
    const { context, remoteAddress: client, id: session } = this.#session
    const { authenticator, metrics, known, log, strangersLog } = context
    if (authenticator === undefined) return done(undefined, 'notImplemented')
    authenticator.login(name, password, client).then(
      (result) => {
        metrics.logins.with({ result: result.is === 'ok' && result.cached ? 'cached' : result.is }).inc()
        if (result.is === 'ok') {
          known.add(client, context.now())
          return done(result.user)
        }
        strangersLog.info({ session, client, user: name.slice(0, loggedName), result: result.is }, 'log-in refused')
        if (result.is === 'wrong') this.#failed(done)
        else done(undefined, 'authenticationBusy')
      },
      (error: unknown) => {
        log.error({ err: error, session }, 'a log-in could not be checked')
        done(undefined, 'authenticationBusy')
      },
    )
  }

  #failed(done: LoginDone): void {
    const delay = this.#session.context.failedLoginDelay * 2 ** this.#failures
    this.#failures += 1
    const refusal = this.#failures >= mostFailures ? 'tooManyFailedLogins' : 'authenticationInvalid'
    setTimeout(() => done(undefined, refusal), delay).unref()
  }
}
