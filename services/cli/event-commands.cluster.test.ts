import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { encodeAccepted } from '@posthouse/core/accepted-codec'
import { acceptedMessages } from '@posthouse/core/acceptance'
import { fullRecord } from '@posthouse/core/golden/samples'
import { connectAdminQueue } from '@posthouse/queue/admin-queue'
import { connectStore } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import type { TraceAnswer } from '@posthouse/queue/trace-port'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { runPosthouse, startPosthouse } from './test/child.ts'

test('events are followed on a real queue until a signal or the reader ends it, and go on from the cursor; stories come from an admin node', async () => {
  await using cluster = await NatsCluster.start({ servers: 1 })
  const { servers, user, password } = cluster
  const way = { servers, user, password, name: 'test', log: SILENT }
  const store = await connectStore({ ...way, partitions: 2, replicas: 1 })
  const environment = {
    POSTHOUSE_NATS_SERVERS: servers.join(','),
    POSTHOUSE_NATS_USER: user,
    POSTHOUSE_NATS_PASSWORD: password,
  }
  const accept = async (partition: number, id: string) => {
    const header = encodeAccepted(acceptedMessages({ ...fullRecord.envelope, id }))
    assert.equal((await store.appendAccepted(partition, id, header, 5000)).is, 'stored')
  }
  const follow = (...from: readonly string[]) => {
    const child = startPosthouse(['events', '--follow', '--json', ...from], { environment })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    return {
      child,
      ended: once(child, 'exit'),
      errors: text(child.stderr),
      next: async () => JSON.parse((await lines.next()).value as string) as { message: string; cursor: string },
    }
  }

  await accept(1, 'AAAA0001')
  const first = follow('--from', 'start')
  assert.equal((await first.next()).message, 'AAAA0001')
  await accept(0, 'AAAA0002')
  const second = await first.next()
  assert.deepEqual([second.message, second.cursor], ['AAAA0002', 'v1.1.1'])
  first.child.kill('SIGTERM')
  assert.deepEqual(await first.ended, [0, null])
  assert.equal(await first.errors, 'posthouse: go on with --from v1.1.1\n')

  await accept(0, 'AAAA0003')
  const third = follow('--from', second.cursor)
  assert.equal((await third.next()).message, 'AAAA0003')
  third.child.kill('SIGINT')
  assert.deepEqual(await third.ended, [0, null])
  assert.equal(await third.errors, 'posthouse: go on with --from v1.2.1\n')

  const all = await runPosthouse(['events', '--message', 'AAAA0003'], { environment })
  assert.deepEqual([all.status, all.errors], [0, 'posthouse: go on with --from v1.2.1\n'])
  assert.match(all.output, /^\S+Z {2}AAAA0003 {2}<ålice@example\.org> to <bob@example\.net>.*\(edge-1\)\n$/)

  const seenEnough = follow('--from', 'start')
  await seenEnough.next()
  seenEnough.child.stdout.destroy()
  await accept(1, 'AAAA0004')
  assert.deepEqual(await seenEnough.ended, [0, null])
  assert.equal(await seenEnough.errors, '')

  const nobody = await runPosthouse(['trace', 'AAAA0001'], { environment })
  assert.deepEqual([nobody.status, nobody.output], [69, ''])
  assert.match(nobody.errors, /^posthouse: no admin node answers/)

  const admin = await connectAdminQueue({ ...way, name: 'admin-1' })
  const answer: TraceAnswer = { stories: [{ message: 'AAAA0001', events: [] }], more: false, node: 'admin-1', lagMs: 3 }
  admin.answerTraces((question) => Promise.resolve({ ...answer, node: `${question.query} ${question.limit}` }))
  const told = await runPosthouse(['trace', '<1@example.org>', '--limit', '7', '--json'], { environment })
  assert.deepEqual([told.status, told.errors], [0, ''])
  assert.deepEqual(JSON.parse(told.output), { query: '<1@example.org>', ...answer, node: '<1@example.org> 7' })
  await admin.close()
  await store.close()
})
