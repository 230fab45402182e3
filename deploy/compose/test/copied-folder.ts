// deploy/compose.yaml and its folder in a temporary place, with the secrets that init.sh has drawn there.
import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { COMPOSE_FILE } from './compose-file.ts'

export const HOSTNAME = 'mail.example.org'

export interface CopiedFolder extends AsyncDisposable {
  /** Stands for deploy/. */
  readonly path: string
  readonly composeFile: string
  readonly secrets: string
  /** Standard output and error; rejects with `code` and `stderr` if it fails. */
  init(...args: string[]): Promise<{ stdout: string; stderr: string }>
}

/** Nobody's secrets are copied; `init` has not been run. */
export async function copiedFolder(): Promise<CopiedFolder> {
  const folder = await temporaryFolder('compose')
  const from = join(COMPOSE_FILE, '..')
  const path = join(folder.path, 'deploy')
  await mkdir(path)
  for (const name of ['grafana', 'prometheus']) await cp(join(from, name), join(path, name), { recursive: true })
  await cp(COMPOSE_FILE, join(path, basename(COMPOSE_FILE)))
  await cp(join(from, 'compose'), join(path, 'compose'), {
    recursive: true,
    filter: (source) => !source.startsWith(join(from, 'compose/secrets/')),
  })
  return {
    path,
    composeFile: join(path, basename(COMPOSE_FILE)),
    secrets: join(path, 'compose/secrets'),
    init: (...args) => promisify(execFile)(join(path, 'compose/init.sh'), args),
    [Symbol.asyncDispose]: folder.remove,
  }
}
