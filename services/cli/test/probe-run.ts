// What the tests of `posthouse probe` share: the command with the usual options, and what it may meet.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { FakeMx, type FakeAction, type FakeCommand } from '@posthouse/testkit/fake-mx'
import { freePort } from '@posthouse/testkit/free-port'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { TlsAuthority } from '@posthouse/testkit/tls-authority'
import { posthouse, type FakeWorld } from './fake-world.ts'
import { SmallRelay, type SmallRelayOptions } from './small-relay.ts'

export const FROM = 'anna@example.org'
export const TO = 'probe@example.net'
export const PASSWORD = 'open-sesame'
/** Of a probe that is to fail when its time is over: long enough for what comes before, on a busy machine. */
export const SHORT = '3s'

/** One run of the command against 127.0.0.1, with whatever options are given beside the usual. */
export function run(
  port: number,
  listen: number,
  options: Readonly<Record<string, string | true>> = {},
  fake: FakeWorld = {},
) {
  const all: Record<string, string | true> = {
    edge: `127.0.0.1:${port}`,
    from: FROM,
    to: TO,
    listen: `127.0.0.1:${listen}`,
    tls: 'none',
    timeout: '60s',
    ...options,
  }
  const args = Object.entries(all).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]))
  return posthouse(['probe', ...args], fake)
}

export async function relayFor(t: TestContext, options: Omit<SmallRelayOptions, 'next'> = {}) {
  const listen = await freePort()
  const relay = await SmallRelay.start({ next: listen, ...options })
  t.after(() => relay[Symbol.asyncDispose]())
  return { relay, listen, port: relay.port }
}

export async function hostFor(
  t: TestContext,
  answer: (command: FakeCommand) => FakeAction | undefined,
  extensions?: string[],
) {
  const mx = await FakeMx.start({ name: 'edge.example', answer, ...(extensions === undefined ? {} : { extensions }) })
  t.after(() => mx.close())
  return { mx, port: mx.port, listen: await freePort() }
}

/** An authority, the certificate it issued, and a password file, in a folder of the test's own. */
export async function files(t: TestContext, names: [string, ...string[]] = ['127.0.0.1']) {
  const { path, remove } = await temporaryFolder('probe')
  t.after(remove)
  const authority = await TlsAuthority.create(path)
  const passwordFile = join(path, 'password')
  await writeFile(passwordFile, `${PASSWORD}\n`)
  return { path, ca: authority.caFile, passwordFile, tls: await authority.issue(names) }
}
