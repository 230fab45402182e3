// What the alerts are for is done to a real cluster, and a real Prometheus that looks at it raises them, one after the other; until
// then each is silent. Only the times are shorter than those of the rules.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { stringify } from 'yaml'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { alertsIn, readRules } from './alerts.ts'
import { BreakableSite, type Service } from './test/breakable-site.ts'
import { hastyRules, type Smaller } from './test/hasty-rules.ts'
import { PrometheusServer, until, type FiringAlert } from './test/prometheus-server.ts'

const PATIENCE_MS = 60_000

interface Provocation {
  readonly what: string
  /** The alert that it raises, and labels by which it is known. */
  readonly alert: string
  readonly labels?: Readonly<Record<string, string>>
  readonly provoke: (site: BreakableSite) => Promise<unknown>
}

const many = (name: string, domain: string) => Array.from({ length: 90 }, (_, n) => `${name}${n}@${domain}`)
const all = (actions: readonly (() => Promise<unknown>)[]) => Promise.allSettled(actions.map((act) => act()))

const services: readonly Service[] = ['delivery', 'edge', 'admin']

/** In this order: what is broken stays broken. */
const provocations: readonly Provocation[] = [
  {
    what: 'many log-ins with wrong passwords',
    alert: 'PosthouseLoginAttack',
    provoke: (site) => all(Array.from({ length: 40 }, (_, n) => () => site.logIn(`guess ${n}`))),
  },
  {
    what: 'a webhook at which nobody answers has something to get',
    alert: 'PosthouseWebhookBehind',
    labels: { webhook: 'deaf' },
    provoke: (site) => site.send('nobody@example.net'),
  },
  {
    what: 'what it does not get is given up in the end',
    alert: 'PosthouseWebhookDeadLetters',
    labels: { webhook: 'deaf' },
    provoke: () => Promise.resolve(),
  },
  {
    what: 'recipients that are refused for good',
    alert: 'PosthouseBouncedShare',
    provoke: (site) => site.send(...many('nobody', 'example.net')),
  },
  {
    what: 'a destination that refuses connections',
    alert: 'PosthouseDeferredShare',
    provoke: (site) => site.send(...many('somebody', 'stalled.example')),
  },
  {
    what: 'and their mail waits for it',
    alert: 'PosthouseDestinationStalled',
    provoke: () => Promise.resolve(),
  },
  {
    what: 'a certificate for five days',
    alert: 'PosthouseCertificateExpires',
    provoke: (site) => site.certificate(5),
  },
  {
    what: 'one of three NATS servers is killed',
    alert: 'PosthouseNatsServerMissing',
    labels: { server: 'nats-2' },
    provoke: (site) => site.nats.kill(1),
  },
  {
    what: 'a second one is killed',
    alert: 'PosthouseNoQuorum',
    provoke: (site) => site.nats.kill(0),
  },
  {
    what: 'the only delivery node is killed',
    alert: 'PosthouseNoDelivery',
    provoke: (site) => site.kill('delivery'),
  },
  {
    what: 'the only admin node is killed',
    alert: 'PosthouseNotOneExporter',
    provoke: (site) => site.kill('admin'),
  },
]

const smaller: Smaller = {
  PosthouseDestinationStalled: ['> 3600', '> 3'],
  PosthouseWebhookBehind: ['> 900', '> 3'],
}

test('what is done to a cluster raises its alert, which was silent before', { timeout: 300_000 }, async (t) => {
  await using folder = await temporaryFolder('provoked')
  await using site = await BreakableSite.start(join(folder.path, 'site'), services)
  const prometheus = await watch(t, join(folder.path, 'prometheus'), site)
  const known = provocations.map(({ alert }) => alert)

  await t.test('a cluster that delivers mail raises none of them', async () => {
    // Counters have to be seen before they count.
    await until(soon(t), async (see) => {
      const [seen] = await prometheus.query('min(count_over_time(up[1m])) > 2')
      see(seen)
      return seen
    })
    await site.send('somebody@example.net')
    await until(soon(t), async (see) => {
      const [seen] = await prometheus.query('sum(rate(posthouse_delivery_recipients_total[20s])) > 0')
      see(seen)
      return seen
    })
    assert.deepEqual(namesOf(await prometheus.firing(), known), [])
  })

  for (const { what, alert, labels = {}, provoke } of provocations)
    await t.test(`${what}: ${alert}`, async () => {
      assert.deepEqual(namesOf(await prometheus.firing(), [alert]), [], 'silent before')
      await provoke(site)
      const raised = await until(soon(t), async (see) => {
        const firing = await prometheus.firing()
        see(firing)
        return firing.find((one) => isOf(one, { alertname: alert, ...labels }))
      })
      t.diagnostic(`${alert}: ${raised.annotations['description']}`)
    })

  await t.test('every alert could be evaluated, from metrics that were there', async () => {
    for (const { name, health, lastError } of await prometheus.rules())
      assert.equal(health, 'ok', `${name}: ${lastError}`)
    const named = new Set(alertsIn(readRules()).flatMap(({ expr }) => expr.match(/posthouse_\w+/g) ?? []))
    const missing = []
    for (const metric of named)
      if ((await prometheus.query(`last_over_time(${metric}[10m])`)).length === 0) missing.push(metric)
    assert.deepEqual(missing, [])
  })
})

/** One that does not come is not to eat the time of the others. */
const soon = (t: TestContext) => AbortSignal.any([t.signal, AbortSignal.timeout(PATIENCE_MS)])

const namesOf = (firing: readonly FiringAlert[], among: readonly string[]) =>
  firing.map(({ labels }) => labels['alertname'] ?? '').filter((name) => among.includes(name))

const isOf = ({ labels }: FiringAlert, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)

/** A Prometheus that looks at every node of the site, until the test is over. */
async function watch(t: TestContext, folder: string, site: BreakableSite): Promise<PrometheusServer> {
  await mkdir(folder)
  const rules = join(folder, 'rules.yml')
  await writeFile(rules, stringify(hastyRules(readRules(), smaller), { aliasDuplicateObjects: false, lineWidth: 0 }))
  const prometheus = await PrometheusServer.start({
    program: await debianProgram('prometheus', 'prometheus', (line) => t.diagnostic(line)),
    folder,
    ruleFiles: [rules],
    scrapeConfigs: site.addresses.map(([service, address]) => ({
      job_name: `posthouse-${service}`,
      static_configs: [{ targets: [address] }],
    })),
  })
  t.after(() => prometheus.stop())
  return prometheus
}
