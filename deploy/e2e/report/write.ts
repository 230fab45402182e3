// Puts the results of a run into docs/kubernetes.json, and writes docs/kubernetes-results.md from them.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { RunResult } from '../result.ts'
import { resultsDocument } from './document.ts'

export async function writeResults(result: RunResult, root: string): Promise<void> {
  for (const [name, text] of [
    ['kubernetes.json', JSON.stringify(result)],
    ['kubernetes-results.md', resultsDocument(result)],
  ] as const) {
    const file = join(root, 'docs', name)
    await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
  }
}
