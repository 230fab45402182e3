import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { makeCertificate } from './self-signed.ts'

test('a throw-away certificate is a good one but for its issuer', () => {
  const now = Date.UTC(2026, 10, 24)
  const { cert, key } = makeCertificate('edge.example', now)
  const certificate = new X509Certificate(cert)
  assert.equal(certificate.subject, 'CN=edge.example')
  assert.equal(certificate.checkHost('edge.example'), 'edge.example')
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(certificate.verify(certificate.publicKey), true)
  assert.equal(certificate.checkPrivateKey(createPrivateKey(key)), true)
  assert.equal(Date.parse(certificate.validFrom) < now && Date.parse(certificate.validTo) > now, true)
})

test('a long host name fits as well', () => {
  const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
  assert.equal(new X509Certificate(makeCertificate(name, Date.now()).cert).checkHost(name), name)
})
