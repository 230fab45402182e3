import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Places } from './place.ts'
import { defaults, HELD, LOAD, ownValues, RUN_LABEL, type Changes, type Setting } from './values.ts'

interface Values {
  readonly commonLabels: Readonly<Record<string, string>>
  readonly image: object
  readonly queue: { readonly partitions: number }
  readonly edge: { readonly users: readonly { readonly existingSecret: string }[]; readonly podAnnotations: object }
  readonly delivery: {
    readonly podAnnotations: object
    readonly settings: {
      readonly route: {
        readonly smarthosts: readonly string[]
        readonly domains: readonly { readonly domain: string; readonly hosts: readonly string[] }[]
      }
    }
  }
  readonly nats: {
    readonly replicas: number
    readonly whenUnsatisfiable?: string
    readonly affinity?: {
      readonly nodeAffinity: {
        readonly preferredDuringSchedulingIgnoredDuringExecution: readonly [
          { readonly preference: { readonly matchExpressions: readonly object[] } },
        ]
      }
    }
  }
}

const TWO: Places = { victim: 'b', safe: 'a', nodes: ['a', 'b'] }
const CHANGES: Changes = { image: { repository: 'posthouse', tag: '1', digest: '' }, partitions: 6, upgraded: false }
const valuesOf = (changes: Partial<Changes> = {}, setting: Partial<Setting> = {}) =>
  ownValues(
    { namespace: 'mail', clusterDomain: 'c.local', run: 'r1', places: TWO, ...setting },
    {
      ...CHANGES,
      ...changes,
    },
  ) as Values

test('all pods bear the mark of the run, by which a node is drained of them only', () => {
  assert.deepEqual(valuesOf().commonLabels, { [RUN_LABEL]: 'r1' })
})

test('each load has a user with a secret of its own, and its mail a way to its own sink', () => {
  const { edge, delivery } = valuesOf()
  assert.deepEqual(
    edge.users.map(({ existingSecret }) => existingSecret),
    [LOAD.secret, HELD.secret],
  )
  const { smarthosts, domains } = delivery.settings.route
  assert.deepEqual(smarthosts, ['load.mail.svc.c.local:2525'])
  assert.deepEqual(domains, [{ domain: HELD.domain, hosts: ['held.mail.svc.c.local:2525'] }])
})

test('an upgrade changes the image, and settings and pods of every service', () => {
  const image = { repository: 'posthouse', tag: '2', digest: '' }
  const [before, after] = [valuesOf(), valuesOf({ image, upgraded: true })]
  assert.deepEqual(after.image, image)
  assert.notDeepEqual(after.edge.podAnnotations, before.edge.podAnnotations)
  assert.notDeepEqual(after.delivery.podAnnotations, before.delivery.podAnnotations)
  assert.notDeepEqual(after.nats, before.nats)
  assert.deepEqual(after.edge.users, before.edge.users)
  assert.deepEqual(after.delivery.settings.route, before.delivery.settings.route)
})

test('more partitions change nothing else', () => {
  const { queue, ...before } = valuesOf()
  const { queue: grown, ...after } = valuesOf({ partitions: 8 })
  assert.deepEqual([queue.partitions, grown.partitions], [6, 8])
  assert.deepEqual(after, before)
})

test('of two nodes the one that is broken holds one server of three', () => {
  const { nats } = valuesOf()
  assert.equal(nats.replicas, 3)
  assert.equal(nats.whenUnsatisfiable, 'DoNotSchedule')
  const [{ preference }] = nats.affinity?.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? assert.fail()
  assert.deepEqual(preference.matchExpressions, [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: ['b'] }])
})

for (const [what, places] of [
  ['three nodes or more', { ...TWO, nodes: ['a', 'b', 'c'] }],
  ['no node to spare', { ...TWO, victim: undefined }],
] as const) {
  test(`with ${what} the servers stand where the chart puts them`, () => {
    assert.deepEqual(Object.keys(valuesOf({}, { places }).nats).toSorted(), ['podAnnotations', 'replicas'])
  })
}

test('what --values may say otherwise is nothing that the run depends on', () => {
  const paths = (value: object, before = ''): string[] =>
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === 'object' && inner !== null ? paths(inner as object, `${before}${key}.`) : [`${before}${key}`],
    )
  const own = new Set(paths(valuesOf()))
  const free = paths(defaults())
  assert.ok(free.length > 0)
  assert.deepEqual(
    free.filter((path) => own.has(path)),
    [],
  )
})
