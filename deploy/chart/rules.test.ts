// Each rule is shown something wrong of each kind that it is there for, and must say so; and it must have nothing to say of
// a release in which all is well.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { broken, rules, type Excuses } from './rules.ts'
import { bed, monitor } from './rules/planted/bed.ts'
import { names } from './rules/planted/names.ts'
import { pods } from './rules/planted/pods.ts'
import { selection } from './rules/planted/selection.ts'
import { soundRendering } from './rules/sound.ts'

const planted = { ...pods, ...names, ...selection }

test('no rule has anything to say of a release in which all is well', () => {
  assert.deepEqual(broken(soundRendering()), [])
})

test('every rule is tried here', () => {
  assert.deepEqual(Object.keys(planted).toSorted(), rules.map(({ name }) => name).toSorted())
})

for (const { name, check } of rules) {
  describe(`${name}: finds`, () => {
    for (const [what, plant, says] of planted[name] ?? []) {
      test(what, () => {
        const at = bed()
        plant(at)
        assert.match(check(at.rendering, {}).join('\n'), says)
      })
    }
  })
}

test('what the user asked for is excused, and nothing else', () => {
  const at = bed()
  at.pod.hostNetwork = true
  at.pod.serviceAccountName = 'mine'
  at.objects.splice(at.objects.indexOf(at.of('PodDisruptionBudget', 'nats')), 1)
  at.objects.splice(at.objects.indexOf(at.of('NetworkPolicy', 'nats')), 1)
  at.objects.push(monitor({ matchLabels: { 'app.kubernetes.io/component': 'edge' } }, 'http'))
  at.of('ConfigMap', 'nats').metadata.namespace = 'other'
  const excuses: Excuses = {
    hostNetwork: ['Deployment/edge'],
    accounts: ['mine'],
    noBudget: ['StatefulSet/nats'],
    openNetwork: true,
    kinds: ['PodMonitor'],
    namespaces: ['other'],
  }
  assert.deepEqual(broken(at.rendering, excuses), [])
  for (const key of Object.keys(excuses)) {
    const { [key as keyof Excuses]: _, ...rest } = excuses
    assert.equal(broken(at.rendering, rest).length, key === 'openNetwork' ? 2 : 1, key)
  }
})
