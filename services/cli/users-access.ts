// Which users file a command means: named by --file, by the settings of an edge, by the environment, or that of the cluster
// kept in this checkout.
import { resolve } from 'node:path'
import { defineSettings } from '@posthouse/runtime/settings/table'
import type { Given, Option } from './command.ts'
import { defaultFolder, localCluster } from './local-cluster.ts'
import { readServiceFile } from './service-file.ts'
import { failed, type Failed } from './status.ts'
import type { World } from './world.ts'

const table = defineSettings({
  usersFile: { type: 'string', format: 'path', optional: true, help: 'Who may log in.' },
})

export const usersOptions = {
  file: { value: 'FILE', help: 'the users file' },
  config: { value: 'FILE', help: 'settings file of an edge: its usersFile is used' },
  data: { value: 'DIR', help: 'folder of a local cluster, as given to npm start -- --data DIR' },
} satisfies Readonly<Record<string, Option>>

export const usersNotes = [
  'Without --file, --config and --data the users file is the one that POSTHOUSE_USERS_FILE names, or else that of the cluster',
  'started by npm start in this checkout. Edges notice a change within a second. An entry with passwordFile in place of hash, put',
  'there by hand, is a user whose password is what that file holds.',
]

export function findUsersFile(given: Given, { environment, root }: Pick<World, 'environment' | 'root'>) {
  const [file, config, data] = ['file', 'config', 'data'].map((option) => given.value(option))
  if ([file, config, data].filter((value) => value !== undefined).length > 1) {
    return failed('usage', '--file, --config and --data: name one of them')
  }
  if (file !== undefined) return resolve(file)
  if (config !== undefined) return fromEdge(config, environment)
  const fromEnvironment = environment['POSTHOUSE_USERS_FILE']
  if (data === undefined && fromEnvironment !== undefined) return resolve(fromEnvironment)
  const local = localCluster(data ?? defaultFolder(root))
  if (local !== undefined) return local.usersFile
  if (data !== undefined) return failed('config', `--data: ${data} holds no local cluster (no queue.yaml there)`)
  return failed(
    'config',
    'which users file? Name it with --file FILE, or the settings file of an edge with --config FILE',
  )
}

function fromEdge(config: string, environment: World['environment']): string | Failed {
  const loaded = readServiceFile(table, config, environment)
  if (!loaded.ok) return failed('config', ...loaded.errors)
  const { usersFile } = loaded.settings
  return usersFile ?? failed('config', `${config}: names no usersFile`)
}
