// Users with permissions, in the text of a nats-server's configuration: the account that has the streams, and others whose
// users only ask it.
import type { Permissions } from '@posthouse/queue/jetstream/permissions'

export interface NatsUser extends Permissions {
  readonly user: string
  readonly password: string
}

const STREAMS = 'POSTHOUSE'
const text = (value: string) => JSON.stringify(value)

/** The block `accounts`. `everything`: a user of the account of the streams without limits, as the file has it. */
export function natsAccounts(users: readonly NatsUser[], everything?: string): string[] {
  const others = [...new Set(users.map(({ account }) => account))].filter((account) => account !== STREAMS)
  const of = (account: string) => users.filter((user) => user.account === account)
  const asked = (account: string) => [...new Set(of(account).flatMap(({ publish }) => publish))]
  // A read may have several answers.
  const exported = others.flatMap((account) =>
    asked(account).map((subject) => `{ service: ${text(subject)}, response_type: stream, accounts: [${account}] }`),
  )
  const imported = (account: string) =>
    asked(account).map((subject) => `{ service: { account: ${STREAMS}, subject: ${text(subject)} } }`)
  return block('accounts {', '}', [
    ...block(`${STREAMS} {`, '}', [
      `jetstream: enabled`,
      ...block('users: [', ']', [...(everything === undefined ? [] : [everything]), ...of(STREAMS).flatMap(userLines)]),
      ...(exported.length === 0 ? [] : block('exports: [', ']', exported)),
    ]),
    ...others.flatMap((account) =>
      block(`${account} {`, '}', [
        ...block('users: [', ']', of(account).flatMap(userLines)),
        ...block('imports: [', ']', imported(account)),
      ]),
    ),
  ])
}

function userLines({ user, password, publish, subscribe }: NatsUser): string[] {
  return block('{', '}', [
    `user: ${text(user)}`,
    `password: ${text(password)}`,
    ...block('permissions {', '}', [
      ...block('publish: [', ']', publish.map(text)),
      ...block('subscribe: [', ']', subscribe.map(text)),
    ]),
  ])
}

function block(open: string, close: string, lines: readonly string[]): string[] {
  return [open, ...lines.map((line) => `  ${line}`), close]
}
