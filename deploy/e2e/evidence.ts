// What a failure, or a step without a bar, leaves behind for who has to find out why: logs of all pods, events and descriptions, in a folder. Whatever cannot
// be had is left out.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kubectl } from './kubectl.ts'
import type { Pod } from './objects.ts'

const PATIENCE_MS = 30_000

export async function collect(kubectl: Kubectl, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const keep = async (file: string, args: readonly string[]) => {
    const told = await kubectl.attempt(args, { timeoutMs: PATIENCE_MS }).catch((error: Error) => ({
      stdout: '',
      stderr: error.message,
    }))
    const text = `${told.stdout}${told.stderr}`
    if (text.trim() !== '') await writeFile(join(folder, file), text)
  }
  await keep('objects.txt', ['get', 'all,pdb,pvc,configmaps', '--output=wide'])
  await keep('events.txt', ['get', 'events', '--sort-by=.lastTimestamp'])
  await keep('nodes.txt', ['describe', 'nodes'])
  await keep('pods.txt', ['describe', 'pods'])
  for (const pod of await kubectl.list<Pod>('pods').catch(() => [])) {
    const { name } = pod.metadata
    await keep(`${name}.log`, ['logs', name, '--all-containers', '--timestamps'])
    await keep(`${name}.before.log`, ['logs', name, '--all-containers', '--timestamps', '--previous'])
  }
}
