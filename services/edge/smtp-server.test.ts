import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import manifest from 'smtp-server/package.json' with { type: 'json' }

// The sessions override members that smtp-server does not document. A new version must be read before it is used.
test('smtp-server is the version that was read', () => {
  assert.equal(manifest.version, '3.21.6')
})

test('what the sessions override is there', () => {
  const names = [
    'init',
    'connectionReady',
    '_createParser',
    '_armTimeout',
    '_resetSession',
    '_onError',
    '_onCloseEvent',
  ]
  for (const name of [...names, '_onClose', 'close', 'send', '_useEnhancedStatusCodes', '_setListeners', 'upgrade']) {
    assert.equal(typeof Reflect.get(SMTPConnection.prototype, name), 'function', name)
  }
  for (const name of ['connect', '_handleProxy', '_expectsProxyHeader', 'onAuth', 'onSecure', 'updateSecureContext']) {
    assert.equal(typeof Reflect.get(SMTPServer.prototype, name), 'function', name)
  }
  assert.equal(typeof Reflect.get(SMTPStream.prototype, 'write'), 'function')
})
