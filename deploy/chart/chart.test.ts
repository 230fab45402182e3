// The chart as helm renders it, under all the values of scenarios.ts: every rule of rules.ts holds for every object.

import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { join } from 'node:path'
import { parse } from 'yaml'
import { contentsOf, labelsOf, ofKind, workloads, type KubeObject, type Rendering } from './manifest.ts'
import { CHART, NAMESPACE, RELEASE, helm, notes, render } from './render.ts'
import { broken } from './rules.ts'
import { renderScenario, scenario, scenarios } from './scenarios.ts'

const cached = new Map<string, Promise<Rendering>>()
/** Once for all tests that only look. */
function rendered(name: string): Promise<Rendering> {
  const found = cached.get(name) ?? renderScenario(scenario(name))
  cached.set(name, found)
  return found
}

function pick({ objects }: Rendering, kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name)
  return found ?? assert.fail(`there is no ${kind}/${name}`)
}

const secret = async (name: string, of = 'the defaults') => contentsOf(pick(await rendered(of), 'Secret', name))

describe('no rule is broken with', { concurrency: 2 }, () => {
  for (const each of scenarios) {
    test(each.name, async () => {
      assert.deepEqual(broken(await rendered(each.name), each.excuses), [])
    })
  }
})

describe('helm lint finds nothing in', { concurrency: 2 }, () => {
  for (const file of ['values.yaml', 'values-small.yaml', 'values-production.yaml']) {
    test(file, async () => {
      const { status, output, errors } = await helm(['lint', '--strict', CHART, '--values', join(CHART, file)])
      assert.equal(status, 0, output + errors)
      assert.match(output, /1 chart\(s\) linted, 0 chart\(s\) failed/)
    })
  }
})

test('the notes tell how to try it, how to send the first mail, and which command shows the queue', async () => {
  const text = await notes({ values: { edge: { users: [{ name: 'app', addresses: ['@example.org'] }] } } })
  assert.match(text, new RegExp(`helm test ${RELEASE} --namespace ${NAMESPACE}`))
  assert.match(text, /kubectl get secret mail-posthouse-users --namespace post -o jsonpath='\{\.data\.app\}'/)
  assert.match(text, /--from you@example\.org/)
  assert.match(text, /posthouse queue count/)
})

test('the notes have a word on what is only good for trying it', async () => {
  const [plain, serious] = await Promise.all([
    notes({ values: { nats: { replicas: 1 } } }),
    notes({ values: { hostname: 'smtp.example.org', edge: { tls: { existingSecret: 'smtp' } } } }),
  ])
  assert.match(plain, /NOTE hostname is not set/)
  assert.match(plain, /NOTE The edges' certificate/)
  assert.match(plain, /NOTE There is one NATS server/)
  assert.doesNotMatch(serious, /NOTE/)
})

test('no two installs have a password, a key or an authority in common', async () => {
  const [one, two] = await Promise.all([rendered('users of the chart'), renderScenario(scenario('users of the chart'))])
  const values = (rendering: Rendering) => ofKind(rendering, 'Secret').flatMap((each) => Object.values(each.data ?? {}))
  const first = values(one)
  assert.ok(first.length > 15, `only ${first.length} values`)
  const others = new Set(values(two))
  assert.deepEqual(
    first.filter((value) => others.has(value)),
    [],
  )
  const passwords = first.filter((value) => !value.startsWith('LS0t'))
  // An authority stands in each Secret of a certificate; a password stands nowhere twice.
  assert.equal(new Set(passwords).size, passwords.length)
})

test('passwords are long, and such that a nats.conf takes them as text', async () => {
  for (const [name, value] of Object.entries(await secret('mail-posthouse-nats-users'))) {
    assert.match(value, /^[A-Za-z][A-Za-z0-9]{31,}$/, name)
  }
  assert.match((await secret('mail-posthouse-test'))['password'] ?? '', /^[A-Za-z0-9]{24,}$/)
  const key = await secret('mail-posthouse-nats-encryption', 'encryption at rest')
  assert.match(key['key'] ?? '', /^[A-Za-z][A-Za-z0-9]{31,}$/)
})

test('a Secret that exists is used as it is, and none is made beside it', async () => {
  const names = ofKind(await rendered('existing Secrets'), 'Secret').map(({ metadata }) => metadata.name)
  assert.deepEqual(names, ['mail-posthouse-test'])
  assert.deepEqual(
    ofKind(await rendered('cert-manager'), 'Secret').map(({ metadata }) => metadata.name),
    ['mail-posthouse-nats-users', 'mail-posthouse-test'],
  )
})

describe('the certificates that the chart makes', () => {
  const names = (server: number) => `mail-posthouse-nats-${server}.mail-posthouse-nats-headless.post.svc.cluster.local`
  const table: [secret: string, hosts: string[], addresses: string[]][] = [
    ['nats-tls', [names(0), names(4), 'mail-posthouse-nats.post.svc.cluster.local', 'localhost'], ['127.0.0.1', '::1']],
    ['client-tls', ['mail-posthouse-client'], []],
    ['smtp-tls', ['mail-posthouse.post.svc.cluster.local', 'mail-posthouse.post.svc', 'mail-posthouse'], []],
  ]
  for (const [name, hosts, addresses] of table) {
    test(`${name} is signed by the authority, has its key, and is for the names it is used under`, async () => {
      const authority = new X509Certificate((await secret('mail-posthouse-authority'))['ca.crt'] ?? '')
      const found = await secret(`mail-posthouse-${name}`)
      const certificate = new X509Certificate(found['tls.crt'] ?? '')
      assert.ok(authority.ca)
      assert.ok(!certificate.ca)
      assert.equal(new X509Certificate(found['ca.crt'] ?? '').fingerprint256, authority.fingerprint256)
      assert.ok(certificate.verify(authority.publicKey))
      assert.ok(certificate.checkPrivateKey(createPrivateKey(found['tls.key'] ?? '')))
      for (const host of hosts) assert.ok(certificate.checkHost(host), host)
      for (const address of addresses) assert.ok(certificate.checkIP(address), address)
      assert.ok(!certificate.checkHost('example.org'))
    })
  }

  test('the edges are named by their public name if there is one', async () => {
    const rendering = await renderScenario({ name: 'public', values: { hostname: 'smtp.example.org' } })
    const { 'tls.crt': pem = '' } = contentsOf(pick(rendering, 'Secret', 'mail-posthouse-smtp-tls'))
    assert.ok(new X509Certificate(pem).checkHost('smtp.example.org'))
  })
})

describe('a change of', { concurrency: 2 }, () => {
  const table: [what: string, values: object, component: string][] = [
    ["an edge's settings", { edge: { settings: { limits: { recipients: 200 } } } }, 'edge'],
    ["a delivery node's settings", { delivery: { settings: { lifetime: '1d' } } }, 'delivery'],
    ["an admin node's settings", { admin: { settings: { events: { keep: '1d' } } } }, 'admin'],
    ['the NATS configuration', { nats: { lameDuckSeconds: 45 } }, 'nats'],
    ['the size of the queue', { queue: { partitions: 7 } }, 'delivery'],
  ]
  const pods = ({ objects }: Rendering) =>
    new Map(
      workloads({ objects }).map(({ template }) => [
        labelsOf(template)['app.kubernetes.io/component'],
        JSON.stringify(template),
      ]),
    )
  for (const [what, values, component] of table) {
    test(`${what} gives new pods`, async () => {
      const before = pods(await rendered('the defaults'))
      assert.notEqual(pods(await renderScenario({ name: what, values })).get(component), before.get(component))
    })
  }

  test('nothing gives none', async () => {
    const again = pods(await renderScenario(scenario('the defaults')))
    for (const [component, pod] of pods(await rendered('the defaults'))) assert.equal(again.get(component), pod)
  })
})

test('what the user says of labels and annotations stands where it belongs', async () => {
  const rendering = await rendered('everything on')
  for (const object of rendering.objects) {
    assert.equal(object.metadata.labels?.['team'], 'mail', `${object.kind}/${object.metadata.name}`)
    assert.equal(object.metadata.annotations?.['example.org/owner'], 'mail', `${object.kind}/${object.metadata.name}`)
  }
  for (const kind of ['PodMonitor', 'PrometheusRule']) {
    for (const { metadata } of ofKind(rendering, kind)) assert.equal(metadata.labels?.['release'], 'prometheus', kind)
  }
  const service = pick(rendering, 'Service', 'mail-relay')
  assert.equal(service.metadata.annotations?.['example.org/lb'], 'x')
  for (const { template, object } of workloads(rendering).filter(({ isLasting }) => isLasting)) {
    const component = labelsOf(template)['app.kubernetes.io/component']
    assert.equal(labelsOf(template)['example.org/tier'], component, object.metadata.name)
    assert.equal(template.metadata?.annotations?.['example.org/note'], component)
  }
})

interface Alert {
  readonly alert?: string
  readonly expr?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

describe('monitoring', () => {
  test('there are alerts, each with an expression, a severity and a word on what to do', async () => {
    const alerts = ofKind(await rendered('everything on'), 'PrometheusRule')
      .flatMap(({ spec }) => (spec as { groups?: { rules: Alert[] }[] } | null)?.groups ?? [])
      .flatMap(({ rules }) => rules)
      .filter(({ alert }) => alert !== undefined)
    assert.ok(alerts.length > 0, 'there is none')
    for (const { alert, expr, labels, annotations } of alerts) {
      assert.ok(expr && labels?.['severity'] && annotations?.['description'], alert)
    }
  })

  test('there are dashboards, where the sidecar of Grafana looks for them', async () => {
    const found = ofKind(await rendered('everything on'), 'ConfigMap').filter(
      ({ metadata }) => metadata.namespace === 'grafana',
    )
    assert.deepEqual(found.flatMap((object) => Object.keys(contentsOf(object))).toSorted(), [
      'delivery.json',
      'edge.json',
      'nats.json',
      'overview.json',
      'queue.json',
    ])
    for (const object of found) {
      assert.equal(object.metadata.labels?.['grafana_dashboard'], '1')
      assert.equal(object.metadata.annotations?.['grafana_folder'], 'Posthouse')
      for (const [file, text] of Object.entries(contentsOf(object))) {
        assert.equal((JSON.parse(text) as { uid?: string }).uid, `posthouse-${file.replace('.json', '')}`)
      }
    }
  })
})

test('the metrics are found by annotations, unless they are switched off', async () => {
  const annotations = async (name: string) =>
    workloads(await rendered(name))
      .filter(({ template }) => labelsOf(template)['app.kubernetes.io/component'] === 'edge')
      .map(({ template }) => template.metadata?.annotations ?? {})
  for (const each of await annotations('the defaults')) assert.equal(each['prometheus.io/port'], '8080')
  for (const each of await annotations('everything off')) assert.ok(!('prometheus.io/port' in each))
})

test('an older Kubernetes than the chart is for is refused by its version', async () => {
  const answer = await render({ kubeVersion: '1.28.0' })
  assert.equal(answer.is, 'refused')
  assert.match(answer.is === 'refused' ? answer.why : '', /requires kubeVersion: >=1\.29\.0-0.* v?1\.28\.0/)
})

test('the chart names the version of the image that belongs to it', async () => {
  const { appVersion } = parse((await helm(['show', 'chart', CHART])).output) as { appVersion: string }
  for (const { template } of workloads(await rendered('the defaults'))) {
    for (const { image = '' } of template.spec.containers) {
      if (!image.startsWith('nats:')) assert.equal(image, `posthouse:${appVersion}`)
    }
  }
})
