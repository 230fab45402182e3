// `loadtest remote …`: load, sink and ledger in one process, against a Posthouse that runs somewhere else, until it is told to
// end; `loadtest remote-control` steers it. It writes nothing to disk: started anew, it begins with an empty ledger. Each phase
// that ends, and in the end the verdict, is a line of JSON on standard output as well, in case nobody could ask.

import { readFile } from 'node:fs/promises'
import { Arguments, helpText, UsageError, type Options } from '../command-line.ts'
import { anyAddress } from '../remote/any-address.ts'
import { startControl } from '../remote/control.ts'
import { RemoteLoad, type RemoteOptions } from '../remote/remote-load.ts'
import { PATIENT, type Target } from '../smtp-client.ts'

export const options: Options = {
  edge: { value: 'HOST:PORT', help: 'where mail is taken; may be given more than once', many: true },
  submissions: {
    value: 'HOST:PORT',
    help: 'the same with implicit TLS, for a quarter of the load; needs --user',
    many: true,
  },
  user: { value: 'NAME', help: 'log in, after STARTTLS (without: as a relay that needs no log-in)' },
  'password-file': { value: 'FILE', help: 'its password' },
  starttls: { value: '', help: 'STARTTLS also without a log-in' },
  'ca-file': { value: 'FILE', help: 'PEM: whose certificates are trusted (without: any certificate will do)' },
  'server-name': { value: 'NAME', help: 'what the certificates must be for (the HOST of each)' },
  'from-domain': { value: 'DOMAIN', help: 'the sender is USER@DOMAIN, or load@DOMAIN' },
  'to-domain': { value: 'DOMAIN', help: 'domain of the recipients; its mail must come to the sink' },
  'sink-port': { value: 'N', help: 'where the sink takes mail, on all addresses (2525)' },
  'control-port': { value: 'N', help: 'where it is steered, on all addresses (8080)' },
  rate: { value: 'N', help: 'messages per second; 0 waits until told (60)' },
  sessions: { value: 'N', help: 'SMTP sessions at once (30)' },
  seed: { value: 'N', help: 'repeats a run: the same sizes, recipients and contents (drawn)' },
  'largest-kib': { value: 'N', help: 'largest message, KiB (4096)' },
  'defer-every': { value: 'N', help: 'every Nth recipient is deferred by the sink once; 0 = none (50)' },
  'most-messages': { value: 'N', help: 'the load ends there: what is remembered of each takes memory (300000)' },
  'final-seconds': {
    value: 'N',
    help: 'how long clients wait for the reply to the final dot (330: longer than an edge asks its queue)',
  },
  'trace-headers': { value: 'N', help: 'Received fields that the relay puts on top of a message (1)' },
  help: { value: '', help: 'this' },
}

const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/
/** Of the time that a pod has to end, usually 30 s. */
const LAST_STOP_MS = 8000

export async function remote(args: readonly string[], signal: AbortSignal): Promise<number> {
  const given = new Arguments(args, options)
  if (given.flag('help')) {
    console.log(
      helpText('node loadtest/main.ts remote --edge HOST:PORT --from-domain D --to-domain D [OPTION]…', options),
    )
    return 0
  }
  const asked = await read(given)
  const controlPort = given.number('control-port', 8080, 0, 65_535)
  given.check()
  await using load = await RemoteLoad.start(asked)
  const tell = (value: unknown) => console.log(JSON.stringify(value))
  await using control = await startControl({
    load,
    host: asked.sink.host,
    port: controlPort,
    ended: (phase) => tell({ phase }),
  })
  const { run } = load.status()
  say(`${run}: sink on port ${load.sinkPort}, control on port ${control.port}, ${asked.rate} messages/s`)
  tell({ ready: { run, sinkPort: load.sinkPort, controlPort: control.port } })
  await aborted(signal)
  await load.stop(LAST_STOP_MS)
  tell({ verdict: load.verdict() })
  return 0
}

async function read(given: Arguments): Promise<RemoteOptions> {
  const [edges, implicit] = [given.texts('edge'), given.texts('submissions')]
  const user = given.text('user')
  const passwordFile = given.text('password-file')
  if (edges.length === 0) throw new UsageError('remote: --edge HOST:PORT is wanted')
  if ((user === null) !== (passwordFile === null))
    throw new UsageError('remote: --user and --password-file go together')
  if (implicit.length > 0 && user === null)
    throw new UsageError('remote: --submissions needs --user and --password-file')
  const password = passwordFile === null ? null : (await fileOf('password-file', passwordFile)).replace(/\r?\n$/, '')
  const caFile = given.text('ca-file')
  const serverName = given.text('server-name')
  const common = {
    ...(user === null || password === null ? {} : { user, password }),
    ...(caFile === null ? {} : { ca: await fileOf('ca-file', caFile) }),
    ...(serverName === null ? {} : { serverName }),
  }
  const tls = user !== null || given.flag('starttls') ? ('starttls' as const) : ('none' as const)
  const targets = (option: string, places: readonly string[], how: Target['tls']) =>
    places.map((place) => ({ ...placeOf(option, place), tls: how, ...common }))
  const from = domainOf(given, 'from-domain')
  return {
    ways: { edges: targets('edge', edges, tls), submissions: targets('submissions', implicit, 'implicit') },
    sender: user?.includes('@') === true ? user : `${user ?? 'load'}@${from}`,
    domain: domainOf(given, 'to-domain'),
    rate: given.number('rate', 60, 0, 100_000),
    sessions: given.number('sessions', 30, 1, 10_000),
    seed: given.number('seed', Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    largest: given.number('largest-kib', 4096, 64, 64 * 1024) * 1024,
    deferEvery: given.number('defer-every', 50, 0, 1_000_000),
    mostMessages: given.number('most-messages', 300_000, 1, 100_000_000),
    patience: { ...PATIENT, finalMs: given.number('final-seconds', 330, 1, 3600) * 1000 },
    traceHeaders: given.number('trace-headers', 1, 0, 10),
    sink: { host: await anyAddress(), port: given.number('sink-port', 2525, 0, 65_535) },
  }
}

/** Of `mail.example:25` or `[2001:db8::1]:25`. */
function placeOf(option: string, place: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(place) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(`remote: --${option} ${place}: HOST:PORT is wanted`)
  }
  return { host, port: Number(port) }
}

function domainOf(given: Arguments, option: string): string {
  const domain = given.text(option)?.toLowerCase()
  if (domain === undefined || !DOMAIN.test(domain)) {
    throw new UsageError(`remote: --${option} ${domain ?? ''}: a domain such as sink.example is wanted`)
  }
  return domain
}

async function fileOf(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`remote: --${option}: ${(error as Error).message}`)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function say(text: string): void {
  process.stderr.write(`remote: ${text}\n`)
}
