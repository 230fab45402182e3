import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { temporaryFolder } from './temporary-folder.ts'
import { TlsAuthority } from './tls-authority.ts'

test('a client that trusts the authority verifies its certificate, by name and by address; others do not', async (t) => {
  await using folder = await temporaryFolder('tls')
  await using other = await temporaryFolder('tls')
  const authority = await TlsAuthority.create(folder.path)
  const stranger = await TlsAuthority.create(other.path)
  const certificate = await authority.issue(['mx.example', '127.0.0.1'])
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (socket) => socket.end())
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo

  const verified = async (ca: string, servername?: string) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ...(servername === undefined ? {} : { servername }) })
    await once(socket, 'secureConnect')
    socket.destroy()
  }
  await verified(authority.ca, 'mx.example')
  await verified(authority.ca)
  await assert.rejects(verified(authority.ca, 'other.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  await assert.rejects(verified(stranger.ca, 'mx.example'))
})
