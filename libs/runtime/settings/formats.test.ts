import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formats, splitHostPort } from './formats.ts'
import type { Format } from './formats.ts'

test('each form takes what it names and nothing else', () => {
  const table: Record<Format, { fits: string[]; not: string[] }> = {
    'host:port': {
      fits: ['127.0.0.1:4222', 'nats-1:4222', '[::1]:25', 'mx.example.org:65535'],
      not: ['127.0.0.1', ':25', 'a:0', 'a:65536', '::1:25', '[127.0.0.1]:25', 'a b:25', '1.2.3:25'],
    },
    host: { fits: ['localhost', '10.0.0.1', '::1', 'a-b.example'], not: ['', 'a..b', '-a', '300.1.1.1', 'a b'] },
    ip: { fits: ['10.0.0.1', '::1'], not: ['localhost', '10.0.0'] },
    cidr: { fits: ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'], not: ['10.0.0.0/33', 'fd00::/129', 'x/8', '/8', ''] },
    url: { fits: ['http://127.0.0.1:4318', 'https://a/b'], not: ['a:1', 'ftp://a', ''] },
    name: { fits: ['edge-1', 'a_b.c'], not: ['', 'edge 1', '-a'] },
    path: { fits: ['/etc/a', 'b'], not: ['', 'a\0b'] },
  }
  for (const [format, { fits, not }] of Object.entries(table)) {
    for (const text of fits) assert.ok(formats[format as Format].fits(text), `${format} takes ${text}`)
    for (const text of not) assert.ok(!formats[format as Format].fits(text), `${format} refuses ${text}`)
  }
})

test('a host and its port come apart', () => {
  assert.deepEqual(splitHostPort('[::1]:25'), { host: '::1', port: 25 })
  assert.deepEqual(splitHostPort('mx.example:2525'), { host: 'mx.example', port: 2525 })
})
