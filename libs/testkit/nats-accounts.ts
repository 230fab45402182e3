// Users with permissions, in the text of a nats-server's configuration: the account that has the streams, and others whose
// users only ask it.
import { readersAccount, STREAMS_ACCOUNT, type Permissions } from '@posthouse/queue/jetstream/permissions'

export interface NatsUser extends Permissions {
  readonly user: string
  readonly password: string
}

const text = (value: string) => JSON.stringify(value)

/** The block `accounts`. `everything`: a user of the account of the streams without limits, as the file has it. */
export function natsAccounts(users: readonly NatsUser[], everything?: string): string[] {
  const { name, services, streams } = readersAccount()
  const of = (account: string) => users.filter((user) => user.account === account).flatMap(userLines)
  return block('accounts {', '}', [
    ...block(`${STREAMS_ACCOUNT} {`, '}', [
      `jetstream: enabled`,
      ...block('users: [', ']', [...(everything === undefined ? [] : [everything]), ...of(STREAMS_ACCOUNT)]),
      ...block('exports: [', ']', [
        // A read may have several answers.
        ...services.map((subject) => `{ service: ${text(subject)}, response_type: stream, accounts: [${name}] }`),
        ...streams.map((subject) => `{ stream: ${text(subject)}, accounts: [${name}] }`),
      ]),
    ]),
    ...block(`${name} {`, '}', [
      ...block('users: [', ']', of(name)),
      ...block('imports: [', ']', [
        ...services.map((subject) => `{ service: { account: ${STREAMS_ACCOUNT}, subject: ${text(subject)} } }`),
        ...streams.map((subject) => `{ stream: { account: ${STREAMS_ACCOUNT}, subject: ${text(subject)} } }`),
      ]),
    ]),
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
