// What `posthouse probe` is told, checked before anything is opened: each mistake of the command line is a line.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { parseMailbox } from '@posthouse/core/address'
import { splitHostPort } from '@posthouse/runtime/settings/formats'
import { parseDuration } from '@posthouse/runtime/settings/units'
import type { Given, Option } from './command.ts'
import type { Edge } from './probe-sender.ts'
import { failed, isFailed, type Failed } from './status.ts'

const DEFAULT_TIMEOUT = '60s'
const SHORTEST_MS = 1000
const LONGEST_MS = 3_600_000
const TLS = ['starttls', 'implicit', 'none'] as const

export const probeOptions = {
  edge: { value: 'HOST:PORT', help: 'where the message is handed in' },
  from: { value: 'ADDRESS', help: 'its sender, who hears of it if it cannot be delivered' },
  to: { value: 'ADDRESS', help: 'its recipient, whose mail must be routed to the listener' },
  listen: { value: '[HOST:]PORT', help: 'where it must come out; without HOST at all addresses of this machine' },
  user: { value: 'NAME', help: 'log in under this name; without it there is no log-in' },
  'password-file': { value: 'FILE', help: 'file that holds the password, on one line' },
  tls: { value: TLS.join('|'), help: 'how the connection is encrypted (default starttls)' },
  'ca-file': { value: 'FILE', help: "authorities that sign the edge's certificate, PEM, in place of the usual ones" },
  'server-name': { value: 'NAME', help: "name in the edge's certificate, if it is not HOST" },
  insecure: { help: 'take any certificate' },
  timeout: { value: 'TIME', help: `give up after so long, all in all (default ${DEFAULT_TIMEOUT})` },
} satisfies Readonly<Record<string, Option>>

export interface ProbePlan {
  readonly edge: Edge
  readonly from: string
  readonly to: string
  readonly listen: { readonly host?: string; readonly port: number }
  readonly timeoutMs: number
  /** As it was written. */
  readonly timeout: string
}

export async function probePlan(given: Given): Promise<ProbePlan | Failed> {
  const mistakes: string[] = []
  const wrong = (line: string): undefined => void mistakes.push(line)
  const needed = (option: keyof typeof probeOptions): string | undefined =>
    given.value(option) ?? wrong(`probe: --${option} is missing; posthouse probe --help shows how`)

  const edge = checked(needed('edge'), splitHostPort, '--edge: must be HOST:PORT, such as 127.0.0.1:587', wrong)
  const [from, to] = (['from', 'to'] as const).map((option) =>
    checked(needed(option), plainAddress, `--${option}: must be a plain address, such as probe@example.org`, wrong),
  )
  const listen = checked(needed('listen'), listenAt, '--listen: must be PORT or HOST:PORT, such as 2525', wrong)
  const timeout = given.value('timeout') ?? DEFAULT_TIMEOUT
  const timeoutMs = checked(timeout, timeoutOf, '--timeout: must be a time from 1s to 1h, such as 60s', wrong)
  const tls = checked(given.value('tls') ?? TLS[0], tlsOf, `--tls: must be one of ${TLS.join(', ')}`, wrong)
  const name = given.value('server-name')
  const serverName = checked(name, hostName, '--server-name: must be a host name, such as mail.example.org', wrong)
  contradictions(given, tls).forEach(wrong)

  if (edge === undefined || from === undefined || to === undefined) return failed('usage', ...mistakes)
  if (listen === undefined || timeoutMs === undefined || tls === undefined) return failed('usage', ...mistakes)
  if (mistakes.length > 0) return failed('usage', ...mistakes)

  const ca = await fileOf(given, 'ca-file')
  if (isFailed(ca)) return ca
  if (ca !== undefined && !isCertificate(ca)) return failed('failed', '--ca-file: holds no certificate in PEM')
  const password = await fileOf(given, 'password-file')
  if (isFailed(password)) return password
  const user = given.value('user')
  return {
    edge: {
      ...edge,
      tls,
      insecure: given.has('insecure'),
      ...(ca === undefined ? undefined : { ca }),
      ...(serverName === undefined ? undefined : { serverName }),
      ...(user === undefined || password === undefined
        ? undefined
        : { login: { user, password: password.replace(/\r?\n$/, '') } }),
    },
    from,
    to,
    listen,
    timeout,
    timeoutMs,
  }
}

/** Options that make no sense together. */
function contradictions(given: Given, tls: Edge['tls'] | undefined): string[] {
  const wrong: string[] = []
  if (given.has('user') && !given.has('password-file')) wrong.push('probe: --user needs --password-file')
  if (given.has('password-file') && !given.has('user')) wrong.push('probe: --password-file needs --user')
  if (given.has('ca-file') && given.has('insecure')) wrong.push('--ca-file and --insecure: name one of them')
  if (tls !== 'none') return wrong
  if (given.has('user')) wrong.push('--tls none: a password is never sent without TLS')
  for (const option of ['ca-file', 'server-name', 'insecure']) {
    if (given.has(option)) wrong.push(`--tls none and --${option}: name one of them`)
  }
  return wrong
}

function checked<T>(
  text: string | undefined,
  read: (text: string) => T | undefined,
  complaint: string,
  wrong: (line: string) => undefined,
): T | undefined {
  if (text === undefined) return undefined
  return read(text) ?? wrong(`${complaint}, not ${JSON.stringify(text)}`)
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const PLAIN = new RegExp(`^${ATOM}(?:\\.${ATOM})*@(?:\\[.+\\]|[A-Za-z0-9.-]+)$`)

/** smtp-server, which the listener is made of, knows no quoted local parts, and not all that others put into a domain. */
function plainAddress(text: string): string | undefined {
  return PLAIN.test(text) && !('invalid' in parseMailbox(text)) ? text : undefined
}

function listenAt(text: string): ProbePlan['listen'] | undefined {
  if (!/^\d{1,5}$/.test(text)) return splitHostPort(text)
  const port = Number(text)
  return port >= 1 && port <= 65535 ? { port } : undefined
}

function timeoutOf(text: string): number | undefined {
  const ms = parseDuration(text)
  return ms !== undefined && ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : undefined
}

/** RFC 6066: an address is no server name. */
function hostName(text: string): string | undefined {
  return isIP(text) === 0 && splitHostPort(`${text}:1`) !== undefined ? text : undefined
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

function tlsOf(text: string): Edge['tls'] | undefined {
  return TLS.find((one) => one === text)
}

/** Its text; undefined if none is named. */
async function fileOf(given: Given, option: 'ca-file' | 'password-file'): Promise<string | undefined | Failed> {
  const file = given.value(option)
  if (file === undefined) return undefined
  try {
    const text = await readFile(file, 'utf8')
    return text.trim() === '' ? failed('failed', `--${option}: ${file} is empty`) : text
  } catch (error) {
    return failed('failed', `--${option}: ${(error as Error).message}`)
  }
}
