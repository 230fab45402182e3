// Which queue a command means, and the way there: named by --config or --data, by the environment (POSTHOUSE_CONFIG before
// POSTHOUSE_NATS_SERVERS), or the one that runs in this checkout.
import type { QueueLog } from '@posthouse/queue/log'
import { queueSettings } from '@posthouse/runtime/settings/common'
import { natsTls, queueRules } from '@posthouse/runtime/settings/queue-options'
import type { SettingsTable } from '@posthouse/runtime/settings/table'
import type { Given, Option } from './command.ts'
import { defaultFolder, localCluster } from './local-cluster.ts'
import { readServiceFile, type Environment } from './service-file.ts'
import { failed, isFailed, type Failed, type Result } from './status.ts'
import type { OpenQueue, QueueAddress, World } from './world.ts'

/** How many partitions there are, and the rest, the streams themselves say. */
const table = {
  'nats.servers': queueSettings['nats.servers'],
  'nats.user': queueSettings['nats.user'],
  'nats.password': queueSettings['nats.password'],
  'nats.tls.caFile': queueSettings['nats.tls.caFile'],
  'nats.tls.certFile': queueSettings['nats.tls.certFile'],
  'nats.tls.keyFile': queueSettings['nats.tls.keyFile'],
} satisfies SettingsTable

/** Shown by the monitoring of the NATS servers. */
const NAME = 'posthouse-cli'

export const accessOptions = {
  config: { value: 'FILE', help: 'settings file of any service: its nats.* are used' },
  data: { value: 'DIR', help: 'folder of a local cluster, as given to npm start -- --data DIR' },
} satisfies Readonly<Record<string, Option>>

/** Names the settings file of the command line itself. A service has no such variable. */
const CONFIG_VARIABLE = 'POSTHOUSE_CONFIG'

export const accessNotes = [
  'Without --config and --data the queue is that of the settings file that POSTHOUSE_CONFIG names, which is then taken as it',
  'is, whatever other variables say; or else the one that the environment names (POSTHOUSE_NATS_SERVERS,',
  'POSTHOUSE_NATS_USER, POSTHOUSE_NATS_PASSWORD_FILE, POSTHOUSE_NATS_TLS_CA_FILE, …); or else that of the cluster started',
  'by npm start in this checkout. Where every service has a NATS user of its own, name that of the command line.',
]

export function findQueue(given: Given, { environment, root }: Pick<World, 'environment' | 'root'>) {
  const config = given.value('config')
  const data = given.value('data')
  if (config !== undefined && data !== undefined) return failed('usage', '--config and --data: name one of them')
  if (config !== undefined) return read(config, environment, config)
  if (data !== undefined) {
    const named = localCluster(data)
    if (named === undefined) return failed('config', `--data: ${data} holds no local cluster (no queue.yaml there)`)
    return read(named.queueFile, {}, data)
  }
  // In a container the other variables are those of the service that it runs: half of its log-in and half of ours would be
  // neither.
  const ownFile = environment[CONFIG_VARIABLE]
  if (ownFile !== undefined && ownFile !== '') return read(ownFile, {}, ownFile, CONFIG_VARIABLE)
  if (environment['POSTHOUSE_NATS_SERVERS'] !== undefined) return read(undefined, environment, 'POSTHOUSE_NATS_SERVERS')
  const local = localCluster(defaultFolder(root))
  if (local?.running) return read(local.queueFile, {}, local.queueFile)
  return failed(
    'config',
    `which queue? Name a settings file with --config FILE or ${CONFIG_VARIABLE}, or set POSTHOUSE_NATS_SERVERS; ` +
      'a cluster started by npm start in this checkout would be found, but none is running',
  )
}

function read(
  file: string | undefined,
  environment: Environment,
  from: string,
  namedBy = '--config',
): QueueAddress | Failed {
  const loaded = readServiceFile(table, file, environment, queueRules, namedBy)
  if (!loaded.ok) return failed('config', ...loaded.errors)
  const { servers, user, password, tls } = loaded.settings.nats
  return {
    name: NAME,
    servers,
    ...(user === undefined ? undefined : { user }),
    ...(password === undefined ? undefined : { password }),
    ...natsTls(tls),
    from,
  }
}

/** Opens the queue for one question. Whatever keeps it from being answered is one line and status 69. */
export function askQueue(given: Given, world: World, question: (queue: OpenQueue) => Promise<Result>): Promise<Result> {
  return goToQueue(given, world, async (address, log) => {
    const queue = await world.openQueue(address, log)
    try {
      return await question(queue)
    } finally {
      await queue.close()
    }
  })
}

/** Finds the way to the queue. Whatever goes wrong there is one line and status 69. */
export async function goToQueue(
  given: Given,
  world: World,
  errand: (address: QueueAddress, log: QueueLog) => Promise<Result>,
): Promise<Result> {
  const address = findQueue(given, world)
  if (isFailed(address)) return address
  try {
    return await errand(address, waitingAloud(world))
  } catch (error) {
    return failed('unavailable', wentWrong(error, address))
  }
}

export function wentWrong(error: unknown, { from }: QueueAddress): string {
  return `${(error as Error).message.split('\n', 1)[0]} (from ${from})`
}

/** Says what is waited for; the rest of the queue's log is for services. */
function waitingAloud({ errors }: World): QueueLog {
  const say = (_facts: object, message: string) => {
    errors.write(`posthouse: ${message}\n`)
  }
  return { debug() {}, info: say, warn: say, error: say }
}
