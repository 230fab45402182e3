import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { format } from 'prettier'
import { result } from '../test/results.ts'
import { resultsDocument } from './document.ts'
import { writeResults } from './write.ts'

test('the document can be made again from the figures that are kept', async (t) => {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  await mkdir(join(folder.path, 'docs'))
  const told = result()
  await writeResults(told, folder.path)
  const read = (name: string) => readFile(join(folder.path, 'docs', name), 'utf8')
  const kept = JSON.parse(await read('kubernetes.json')) as typeof told
  assert.deepEqual(kept, told)
  assert.equal(await read('kubernetes-results.md'), await format(resultsDocument(kept), { parser: 'markdown' }))
})

test('without the folder for documents nothing is written, and that is told', async (t) => {
  const folder = await temporaryFolder('e2e')
  t.after(() => folder.remove())
  await assert.rejects(writeResults(result(), folder.path), /ENOENT/)
})
