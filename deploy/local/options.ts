// The command line of `npm start`: read into one value, or answered with what is wrong with it, all at once.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { splitHostPort } from '@posthouse/runtime/settings/formats'
import { HIGHEST_BASE_PORT } from './ports.ts'

export interface Options {
  /** 3: the cluster; 1: one NATS server, one edge, one delivery. Each with an admin node. */
  readonly nodes: 1 | 3
  /** Where everything goes instead of the local mailbox. */
  readonly smarthost: string | undefined
  readonly dir: string
  readonly basePort: number
  readonly restart: boolean
  readonly admin: boolean
  readonly json: boolean
}

export type CommandLine =
  | { readonly is: 'options'; readonly options: Options }
  | { readonly is: 'help' }
  | { readonly is: 'wrong'; readonly errors: readonly string[] }

export const DEFAULT_BASE_PORT = 2500

export const HELP = `usage: npm start -- [OPTION]…

Starts a whole Posthouse cluster on this machine, and a mailbox that shows what arrives.

  --nodes 3|1            3 NATS servers, 2 edges and 2 deliveries (the default), or one of each; and an admin node
  --smarthost HOST:PORT  sends all mail there instead of to the local mailbox
  --data DIR             queue, settings and logs (default: .posthouse/local); a later start goes on with it
  --base-port N          first of a hundred ports on 127.0.0.1 (default: ${DEFAULT_BASE_PORT}), for a second cluster beside the first
  --no-restart           leaves killed nodes dead (they are started again after 2 s otherwise)
  --no-admin             without an admin node: no figures of the queue, no events, no traces
  --json                 when ready, one JSON object on standard output; it is kept current in DIR/cluster.json
  --help                 this text
`

export function parseCommandLine(args: readonly string[], root: string): CommandLine {
  const errors: string[] = []
  let values
  try {
    const known = {
      nodes: { type: 'string' },
      smarthost: { type: 'string' },
      data: { type: 'string' },
      'base-port': { type: 'string' },
      'no-restart': { type: 'boolean' },
      'no-admin': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const
    values = parseArgs({ args: [...args], options: known, strict: true, allowPositionals: false }).values
  } catch (error) {
    return { is: 'wrong', errors: [(error as Error).message.split('. ')[0] as string] }
  }
  if (values.help) return { is: 'help' }

  const nodes = values.nodes ?? '3'
  if (nodes !== '1' && nodes !== '3') errors.push(`--nodes: must be 3 or 1, not ${JSON.stringify(nodes)}`)

  const { smarthost } = values
  if (smarthost !== undefined && splitHostPort(smarthost) === undefined) {
    errors.push(`--smarthost: must be HOST:PORT, such as 127.0.0.1:25, not ${JSON.stringify(smarthost)}`)
  }
  const given = values['base-port'] ?? String(DEFAULT_BASE_PORT)
  const basePort = /^\d+$/.test(given) ? Number(given) : NaN
  if (!(basePort >= 1024 && basePort <= HIGHEST_BASE_PORT)) {
    errors.push(`--base-port: must be a number from 1024 to ${HIGHEST_BASE_PORT}, not ${JSON.stringify(given)}`)
  }
  if (values.data === '') errors.push('--data: must be a folder')
  if (errors.length > 0) return { is: 'wrong', errors }
  return {
    is: 'options',
    options: {
      nodes: nodes === '1' ? 1 : 3,
      smarthost,
      dir: values.data === undefined ? resolve(root, '.posthouse', 'local') : resolve(values.data),
      basePort,
      restart: !values['no-restart'],
      admin: !values['no-admin'],
      json: values.json ?? false,
    },
  }
}
