import assert from 'node:assert/strict'
import { test } from 'node:test'
import { removals } from '@posthouse/testkit/apt'
import { cpuOfGroups, readProcesses, timesIn } from './process-cpu.ts'
import { mainCf, masterCf } from './postfix.ts'
import { lastCount } from './smtp-sink.ts'
import { argumentsOf } from './smtp-source.ts'
import { summarize, type Run } from './summary.ts'

test('a line of /proc stat is read whatever the name of the process is', () => {
  const stat = (name: string) => `42 (${name}) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 12 0 1 2 3`
  for (const name of ['node', 'a b', 'x) S 1 (y'])
    assert.deepEqual(timesIn(stat(name)), { pid: 42, parent: 7, ticks: 110 })
})

test('a group has the time of its roots and their descendants, and none of another group', () => {
  const process = (pid: number, parent: number, ticks: number) => ({ pid, parent, ticks })
  const processes = [
    process(1, 0, 1000),
    process(10, 1, 5),
    process(11, 10, 7),
    process(12, 11, 1),
    process(20, 10, 100),
  ]
  assert.deepEqual(cpuOfGroups(processes, { a: [10], b: [20], gone: [99] }), { a: 130_000, b: 1_000_000, gone: 0 })
})

test('this process is among the processes, and uses time', () => {
  const until = performance.now() + 50
  while (performance.now() < until);
  assert.ok((cpuOfGroups(readProcesses(), { self: [process.pid] })['self'] ?? 0) > 0)
})

test('the last whole counter counts, and a half written one does not', () => {
  assert.equal(lastCount('sess=1 quit=1 mesg=96\rsess=1 quit=1 mesg=97\r'), 97)
  assert.equal(lastCount('sess=1 quit=1 mesg=96\rsess=1 quit=1 mesg=9'), 96)
  assert.equal(lastCount('s=1 quit=1 mesg=5'), 0)
  assert.equal(lastCount(''), 0)
})

test('an installation that would remove something is recognised', () => {
  assert.deepEqual(removals('Inst postfix (3.7 Debian)\nRemv exim4-base [4.96]\nRemv exim4 [4.96]\n'), [
    'exim4-base',
    'exim4',
  ])
  assert.deepEqual(removals('Inst postfix (3.7 Debian)\n'), [])
})

test('the sender gets the load as smtp-source wants it', () => {
  const load = { host: '127.0.0.1', port: 2525, messages: 10, sessions: 2, size: 4096, connections: 'kept' as const }
  const args = '-s 2 -m 10 -l 4096 -f load@sender.example -t mailbox@sink.example 127.0.0.1:2525'
  assert.equal(argumentsOf(load).join(' '), `-d ${args}`)
  assert.equal(argumentsOf({ ...load, connections: 'one-shot' }).join(' '), args)
})

test('Postfix listens on loopback alone, runs without chroot, and reads nothing outside its folder', () => {
  const main = mainCf('/folder', 2526)
  assert.match(main, /^inet_interfaces = 127\.0\.0\.1$/m)
  assert.match(main, /^relayhost = \[127\.0\.0\.1\]:2526$/m)
  assert.match(main, /^in_flow_delay = 0$/m)
  assert.doesNotMatch(main, /\/etc|\/var/)
  const services = masterCf(2525).trim().split('\n')
  assert.ok(services.every((line) => line.split(/\s+/)[4] === 'n'))
})

test('the ratio is of the medians of the end-to-end rates, by load', () => {
  const run = (system: string, sessions: number, rate: number): Run => {
    const load = { size: 4096, sessions, messages: 100 }
    return {
      system,
      ...load,
      messagesPerSecond: rate,
      acceptedPerSecond: rate * 2,
      cpuMicros: { x: rate },
      p50Ms: 1,
      p99Ms: 2,
    }
  }
  const runs = [
    ...[2000, 2200, 9000].map((rate) => run('posthouse', 20, rate)),
    ...[800, 1000, 10].map((rate) => run('postfix', 20, rate)),
    run('posthouse', 200, 3000),
    run('postfix', 200, 600),
  ]
  const { ratios, medians } = summarize(runs)
  assert.deepEqual(ratios, { postfix: { '4096x20': 2.75, '4096x200': 5 } })
  assert.equal(medians['posthouse']?.['4096x20']?.cpuMicros['x'], 2200)
})

test('without Posthouse among the systems there is nothing to compare', () => {
  assert.deepEqual(summarize([]).ratios, {})
})
