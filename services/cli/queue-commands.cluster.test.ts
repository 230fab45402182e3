import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectStore } from '@posthouse/queue/jetstream/jetstream-store'
import { SILENT } from '@posthouse/queue/log'
import { NatsCluster } from '@posthouse/testkit/nats-cluster'
import { runPosthouse } from './test/child.ts'
import { fill, NEVER_TRIED } from './test/filled-store.ts'

test('the command sees the queue of a real cluster, also when one of its servers is down, and says when all are', async () => {
  await using cluster = await NatsCluster.start()
  const { servers, user, password } = cluster
  const environment = {
    POSTHOUSE_NATS_SERVERS: servers.join(','),
    POSTHOUSE_NATS_USER: user,
    POSTHOUSE_NATS_PASSWORD: password,
  }
  const missing = await runPosthouse(['queue', 'count'], { environment })
  assert.equal(missing.status, 69)
  assert.match(missing.errors, /^posthouse: nats\.servers: there is no queue on these servers/)

  const store = await connectStore({ name: 'test', servers, user, password, partitions: 2, replicas: 3, log: SILENT })
  await fill(store)
  await store.close()

  const counted = await runPosthouse(['queue', 'count', '--json'], { environment })
  assert.equal(counted.errors, '')
  assert.equal(counted.status, 0)
  assert.equal((JSON.parse(counted.output) as { count: number }).count, 3)

  const refused = await runPosthouse(['queue', 'count'], {
    environment: { ...environment, POSTHOUSE_NATS_PASSWORD: 'wrong' },
  })
  assert.equal(refused.status, 69)
  assert.match(refused.errors, /^posthouse: nats\.user, nats\.passwordFile: the NATS servers refuse the log-in/)

  await cluster.kill(0)
  const found = await runPosthouse(['queue', 'show', NEVER_TRIED, '--json'], { environment })
  assert.equal(found.status, 0, found.errors)
  const { items } = JSON.parse(found.output) as { items: { recipients: string[] }[] }
  assert.deepEqual(
    items.map(({ recipients }) => recipients),
    [['bob@example.net', 'carol@example.net']],
  )

  await Promise.all([cluster.kill(1), cluster.kill(2)])
  const down = await runPosthouse(['queue', 'count', '--json'], { environment })
  assert.equal(down.status, 69)
  assert.match(down.errors, /^posthouse: nats\.servers: no NATS server answers at /)
})
