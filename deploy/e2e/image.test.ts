import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageText, parseImage } from './image.ts'

const DIGEST = `sha256:${'0a'.repeat(32)}`

const images: readonly [text: string, repository: string, tag: string, digest: string][] = [
  ['posthouse:1', 'posthouse', '1', ''],
  ['registry.example:5000/mail/posthouse:v1.2', 'registry.example:5000/mail/posthouse', 'v1.2', ''],
  [`registry.example/posthouse@${DIGEST}`, 'registry.example/posthouse', '', DIGEST],
  [`posthouse:1@${DIGEST}`, 'posthouse', '1', DIGEST],
]
for (const [text, repository, tag, digest] of images) {
  test(`${text} is read and said again`, () => {
    assert.deepEqual(parseImage(text), { repository, tag, digest })
    assert.equal(imageText(parseImage(text)), text)
  })
}

for (const text of ['posthouse', 'registry.example:5000/posthouse', '', 'post house:1', 'posthouse@sha256:12']) {
  test(`${JSON.stringify(text)} names no version`, () => assert.throws(() => parseImage(text), /NAME:TAG is wanted/))
}
