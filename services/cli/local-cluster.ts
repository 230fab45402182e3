// The cluster that `npm start` keeps in a folder of this checkout: where its files are, and whether it runs.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface LocalCluster {
  /** Settings of the queue alone. */
  readonly queueFile: string
  readonly usersFile: string
  /** As far as its folder tells: a cluster killed by force leaves the file behind. */
  readonly running: boolean
}

export function defaultFolder(root: string): string {
  return join(root, '.posthouse', 'local')
}

/** Undefined if the folder never held a cluster. */
export function localCluster(dir: string): LocalCluster | undefined {
  const queueFile = join(dir, 'queue.yaml')
  if (!existsSync(queueFile)) return undefined
  return { queueFile, usersFile: join(dir, 'users.yaml'), running: existsSync(join(dir, 'cluster.json')) }
}
