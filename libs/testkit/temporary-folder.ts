// A folder of one's own that goes away again: `await using folder = await temporaryFolder('queue')`,
// or `t.after(() => folder.remove())`. Removing it twice, or when somebody else did, is no error.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
  remove(): Promise<void>
}

export async function temporaryFolder(purpose = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `posthouse-${purpose}-`))
  // A process that is just ending may still write into it: hence the retries.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  return { path, remove, [Symbol.asyncDispose]: remove }
}
