import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { requireNatsServer } from '@posthouse/testkit/nats-binary'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { natsMarkdown } from './nats-document.ts'

test('the nats.conf of the document is one that nats-server takes', async () => {
  await using folder = await temporaryFolder('nats-document')
  const authority = await TlsAuthority.create(folder.path)
  const { certFile, keyFile } = await authority.issue(['nats-1'])
  const config = /^```\n([^]*?)^```$/m.exec(natsMarkdown())?.[1] ?? ''
  assert.match(config, /^ {2}sync_interval: always$/m)
  const file = join(folder.path, 'nats.conf')
  const files = { 'ca.crt': authority.caFile, 'tls.crt': certFile, 'tls.key': keyFile }
  await writeFile(
    file,
    Object.entries(files).reduce((text, [name, path]) => text.replaceAll(`/etc/nats/tls/${name}`, path), config),
  )
  const { stderr } = await promisify(execFile)(requireNatsServer().path, ['-t', '-c', file])
  assert.match(stderr, /configuration file .* is valid/)
})
