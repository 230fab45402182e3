// Runs itself in an enclosure: the tests are those of the process inside.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { scrape, sumOf } from '../../prometheus.ts'
import { SmtpClient, type Target } from '../../smtp-client.ts'
import { canEnclose, enclosed, isEnclosed } from '../enclosure.ts'
import { isRunning } from './is-running.ts'
import { run } from './run-program.ts'
import { TestRoom } from './test-room.ts'

let started: TestRoom
/** What was there before the first room. */
let outer: readonly string[] = []

function tests(): void {
  before(async () => {
    outer = roomMounts()
    started = await TestRoom.start({ edges: 2, deliveries: 2, diskMiB: 256, delayable: true, clocks: true })
  })
  after(() => started[Symbol.asyncDispose]())

  test('mail goes through the balancer by every door, and its last hop is known by name', async () => {
    for (const role of ['relay', 'submission', 'submissions'] as const) {
      const { from } = await started.pass(role)
      assert.match(from ?? '', /^delivery-[12]$/)
    }
  })

  test('an edge that the balancer cannot reach gets no mail, and answers the harness all the same', async () => {
    const { room } = started
    await room.links.cut('balancer', 'edge-1')
    const known = await acceptedBy('edge-1')
    for (let count = 0; count < 4; count++) await started.send()
    assert.equal(await acceptedBy('edge-1'), known)
    await room.node('edge-1').ready()
    await room.links.heal('balancer', 'edge-1')
  })

  test('an edge that is frozen keeps no mail from being taken', async () => {
    const edge = started.room.node('edge-2')
    edge.freeze()
    for (let count = 0; count < 4; count++) assert.equal((await started.send()).told, 'accepted')
    edge.thaw()
    await edge.ready()
  })

  test('clients that are cut off hear nothing until they are healed, in one direction as in both', async () => {
    const { room } = started
    const connect = () => SmtpClient.connect(room.targets('relay')[0] as Target, { connectMs: 500, replyMs: 5000 })
    await room.links.cutOneWay('balancer', 'clients')
    await assert.rejects(connect(), /no greeting in time/)
    await room.links.heal('balancer', 'clients')
    await room.links.cut('clients', 'balancer')
    await assert.rejects(connect(), /no greeting in time/)
    await room.links.healAll()
    ;(await connect()).quit()
  })

  test('what is lost on the way to destinations and name server is lost at their end', async () => {
    const { links } = started.room
    const rules = () => run('iptables', ['-S', 'INPUT'])
    await Promise.all([links.cutOneWay('delivery-1', 'sites'), links.lose(0.5, 'delivery-2', 'dns')])
    assert.match(await rules(), /-s 10\.77\.4\.1\/32 -d 10\.77\.9\.0\/24 -j DROP/)
    assert.match(await rules(), /-s 10\.77\.4\.2\/32 -d 10\.77\.8\.1\/32 -m statistic --mode random --probability 0\.5/)
    await links.healAll()
    assert.doesNotMatch(await rules(), /DROP/)
    await started.pass()
  })

  test('edges come and go while mail flows, and the balancer knows them also when it is started again', async () => {
    const { room } = started
    assert.equal((await room.add('edge')).name, 'edge-3')
    await room.remove(room.node('edge-1'))
    await room.node('balancer').kill()
    await room.remove(room.node('edge-2'))
    await room.start()
    const known = await acceptedBy('edge-3')
    await started.pass()
    assert.equal(await acceptedBy('edge-3'), known + 1)
  })

  test('a power cut leaves the servers down and what was accepted on their disks', async () => {
    const { room } = started
    for (const delivery of room.nodes('delivery')) await delivery.stop()
    const { told, recipient } = await started.send()
    assert.equal(told, 'accepted')
    await room.powerCut(room.nodes('nats'))
    assert.deepEqual(
      room.nodes('nats').map(({ running }) => running),
      [false, false, false],
    )
    await room.start()
    await started.arrived(recipient)
  })

  test('mail goes on over slow connections to the servers, of which services know no others', async () => {
    const { room } = started
    room.delay(20)
    await started.pass()
    room.delay(0)
    const edge = room.node('edge-3')
    await edge.stop() // then all of its log is there
    const servers = readFileSync(edge.logFile, 'utf8').match(/10\.77\.2\.\d:\d+/g) ?? []
    assert.ok(servers.length > 0)
    assert.deepEqual(
      servers.filter((server) => !server.endsWith(':4223')),
      [],
    )
    await room.start()
  })

  test('a node whose clock jumps writes another time, and goes on', async () => {
    const edge = started.room.node('edge-3')
    await edge.jumpClock(3_600_000)
    await started.pass()
    await edge.stop()
    const line = readFileSync(edge.logFile, 'utf8')
      .split('\n')
      .findLast((text) => text.includes('"msg":"accepted"'))
    const { time } = JSON.parse(line ?? '{}') as { time: string }
    assert.ok(Date.parse(time) > Date.now() + 3_000_000)
  })

  test('when it is closed its processes, namespaces and disks are gone, and another can be opened', async () => {
    const pids = started.room.nodes().map(({ pid }) => pid)
    await started[Symbol.asyncDispose]()
    assert.deepEqual(
      pids.filter((pid) => pid !== undefined && isRunning(pid)),
      [],
    )
    // Namespaces that somebody else of the machine has are seen from here, too.
    const mine = roomMounts().filter((mount) => !outer.includes(mount))
    assert.deepEqual(mine, [])
    started = await TestRoom.start({ edges: 1, deliveries: 1 })
    await started.pass()
  })
}

const roomMounts = (): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => /posthouse-room|netns\/\w/.test(line))

async function acceptedBy(edge: string): Promise<number> {
  return sumOf(await scrape([started.room.node(edge).http ?? '']), /^posthouse_edge_messages_accepted_total$/)
}

if (isEnclosed()) tests()
else if (canEnclose()) process.exitCode = await enclosed(import.meta.filename, [])
else test('a room of namespaces', { skip: 'needs root' })
