// A real cluster, looked at by a real Prometheus: everything that a dashboard asks is answered, with the labels of a PodMonitor and
// with those of a list of addresses, and Prometheus evaluates every alert.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { FakeMx } from '@posthouse/testkit/fake-mx'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { ALERTS_FILE, alertsIn, readRules } from '../prometheus/alerts.ts'
import { PrometheusServer, until, type Sample } from '../prometheus/test/prometheus-server.ts'
import { labelValuesOf, panelsOf, readDashboards, type Dashboard } from './dashboard.ts'
import { startAdminNode, type AdminNode } from './test/admin-node.ts'
import { EXPECTED, isSeen } from './test/expected.ts'
import { Receiver } from './test/receiver.ts'
import { SmallCluster } from './test/small-cluster.ts'

/** For mail that was sent to show in a scrape. */
const PATIENCE_MS = 30_000

type Choice = Readonly<Record<string, string>>

/** What is chosen above the dashboard, by who scraped. "All" is `.*`, and finds a label that is not there. */
const CHOICES: Readonly<Record<string, Choice>> = {
  pods: { namespace: 'mail', job: '.*', pod: '.*', instance: '.*' },
  'one pod': { namespace: 'mail', job: 'mail/posthouse', pod: 'posthouse-(edge|delivery|admin)-1', instance: '.*' },
  addresses: { namespace: '.*', job: 'posthouse-(edge|delivery|admin)', pod: '.*', instance: '.*' },
}

test(
  'a cluster that took, refused, delivered, deferred and bounced mail fills every panel',
  { timeout: 300_000 },
  async (t) => {
    const program = await debianProgram('prometheus', 'prometheus', (line) => t.diagnostic(line))
    const { prometheus, cluster, mx, admins } = await start(t, program)
    // Counters have to be seen before they count.
    await until(t.signal, async (see) => {
      const seen = await prometheus.query('min(count_over_time(up[1m]))')
      see(seen)
      return Number(seen[0]?.value[1] ?? 0) >= 2 || undefined
    })
    await someMail(cluster, mx)
    // Any admin node may get the question.
    await until(t.signal, async (see) => {
      const answer = await admins.get('admin-1')?.ask('app@example.org')
      see(answer)
      return answer?.node === 'admin-1' || undefined
    })

    for (const [choice, chosen] of Object.entries(CHOICES))
      for (const [file, dashboard] of readDashboards())
        for (const { title, targets = [] } of panelsOf(dashboard))
          for (const { refId, expr } of targets)
            await t.test(`${choice}: ${file}: ${title} (${refId})`, async () => {
              const query = filled(expr, chosen)
              // One that stays empty is not to eat the time of the others.
              const signal = AbortSignal.any([t.signal, AbortSignal.timeout(PATIENCE_MS)])
              await until(signal, async (see) => {
                const samples = await prometheus.query(query)
                see(samples)
                const there = samples.length > 0 && samples.every(({ value }) => Number.isFinite(Number(value[1])))
                return (there && (EXPECTED[file]?.[title] ?? []).every((one) => isSeen(one, samples))) || undefined
              })
            })

    await t.test('a dot in the time to the 250 names the trace of a message', async () => {
      for (const [file, dashboard] of readDashboards())
        for (const { title, targets = [] } of panelsOf(dashboard))
          for (const { expr } of targets.filter(({ exemplar }) => exemplar === true))
            await until(t.signal, async (see) => {
              const seen = await prometheus.exemplars(filled(expr, CHOICES['pods'] ?? {}))
              see([file, title, seen])
              const ids = seen.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels['trace_id'] ?? ''))
              return ids.some((id) => /^[0-9a-f]{32}$/.test(id)) || undefined
            })
    })

    await t.test('what is marked in all panels is found', async () => {
      for (const [file, { annotations }] of readDashboards())
        for (const { name, expr } of annotations.list) {
          if (expr === undefined) continue
          const seen = await prometheus.query(filled(expr, CHOICES['pods'] ?? {}))
          // Alerts may fire, or not.
          if (name === 'Starts') assert.equal(seen.length, 4, file)
          else assert.equal(name, 'Alerts', file)
        }
    })

    await t.test('the variables offer what there is to choose', async () => {
      for (const [choice, expected] of [
        [
          'pods',
          {
            namespace: ['mail'],
            job: ['mail/posthouse'],
            pod: ['posthouse-admin-1', 'posthouse-admin-2', 'posthouse-delivery-1', 'posthouse-edge-1'],
          },
        ],
        // Jobs are offered whatever job is chosen.
        [
          'addresses',
          {
            namespace: ['mail'],
            job: ['mail/posthouse', 'posthouse-admin', 'posthouse-delivery', 'posthouse-edge'],
            pod: [],
          },
        ],
      ] as const)
        for (const dashboard of readDashboards().values())
          for (const variable of dashboard.templating.list) {
            const asked = labelValuesOf(variable)
            const values =
              asked && (await prometheus.labelValues(asked.label, filled(asked.selector, CHOICES[choice] ?? {})))
            if (variable.name in expected) assert.deepEqual(values, expected[variable.name as 'job'], variable.name)
            if (variable.name === 'instance') assert.equal(values?.length, 4, choice)
          }
    })

    await t.test('Prometheus evaluates every alert', async () => {
      const rules = await until(t.signal, async (see) => {
        const all = await prometheus.rules()
        see(all)
        return all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : undefined
      })
      assert.deepEqual(
        rules.map(({ name }) => name).toSorted(),
        alertsIn(readRules())
          .map(({ alert }) => alert)
          .toSorted(),
      )
      for (const rule of rules) assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`)
      const firing = await prometheus.query('ALERTS{alertstate="firing",severity="critical"}')
      assert.deepEqual(firing, [])
    })

    await t.test(
      'when the admin node that speaks for all ends, another does; its figures are those of one',
      async () => {
        const chosen = CHOICES['pods'] ?? {}
        const panels = panelsOf(readDashboards().get('nats.json') as Dashboard)
        const [target] = panels.find(({ title }) => title === 'Servers')?.targets ?? []
        const servers = filled(target?.expr ?? '', chosen)
        const speaks = async () => (await prometheus.query('posthouse_admin_exports{namespace="mail"} == 1')).map(podOf)
        assert.deepEqual(await speaks(), ['posthouse-admin-1'])
        await admins.get('admin-1')?.stop()
        await until(t.signal, async (see) => {
          const [pods, seen] = await Promise.all([speaks(), prometheus.query(servers)])
          see([pods, seen])
          for (const { value } of seen) assert.equal(value[1], '1')
          return (pods.join() === 'posthouse-admin-2' && seen.length === 1) || undefined
        })
      },
    )
  },
)

const podOf = ({ metric }: Sample) => metric['pod']

function filled(text: string, chosen: Choice): string {
  const query = text.replaceAll(/\$(\w+)/g, (whole, name: string) =>
    name === '__rate_interval' ? '5m' : (chosen[name] ?? whole),
  )
  assert.doesNotMatch(query, /\$/, 'Grafana fills in what is not filled in here')
  return query
}

interface Site {
  readonly cluster: SmallCluster
  readonly mx: FakeMx
  readonly admins: ReadonlyMap<string, AdminNode>
  readonly prometheus: PrometheusServer
}

/** A cluster and a Prometheus that knows its nodes in both ways, until the test is over. */
async function start(t: TestContext, program: string): Promise<Site> {
  const folder = await temporaryFolder('monitoring')
  t.after(() => folder.remove())
  const mx = await FakeMx.start({
    answer: ({ verb, line }) =>
      verb !== 'RCPT'
        ? undefined
        : /<later@/.test(line)
          ? '451 4.7.1 come back later'
          : /<nobody@/.test(line)
            ? '550 5.1.1 no such user'
            : undefined,
  })
  t.after(() => mx.close())
  const receiver = await Receiver.start()
  t.after(() => receiver.stop())
  const cluster = await SmallCluster.start(join(folder.path, 'cluster'), `127.0.0.1:${mx.port}`, receiver.url)
  t.after(() => cluster.stop())
  const admins = new Map<string, AdminNode>()
  for (const name of ['admin-1', 'admin-2']) {
    const admin = await startAdminNode(name, join(folder.path, 'cluster'), receiver.url)
    t.after(() => admin.stop())
    admins.set(name, admin)
  }
  const metrics = new Map(Object.entries(cluster.facts.metrics))
  for (const [name, { url }] of admins) metrics.set(name, url)
  const nodes = [...metrics].map(([name, url]) => ({ name, address: new URL(url).host }))
  const services = Map.groupBy(nodes, ({ name }) => name.replace(/-\d+$/, ''))
  const home = join(folder.path, 'prometheus')
  await mkdir(home)
  const prometheus = await PrometheusServer.start({
    program,
    folder: home,
    ruleFiles: [ALERTS_FILE],
    arguments: ['--enable-feature=exemplar-storage'],
    scrapeConfigs: [
      ...[...services].map(([service, ofService]) => ({
        job_name: `posthouse-${service}`,
        static_configs: [{ targets: ofService.map(({ address }) => address) }],
      })),
      {
        job_name: 'mail/posthouse',
        static_configs: nodes.map(({ name, address }) => ({
          targets: [address],
          labels: { namespace: 'mail', pod: `posthouse-${name}` },
        })),
      },
    ],
  })
  t.after(() => prometheus.stop())
  return { cluster, mx, admins, prometheus }
}

/** Accepted by both ways in, delivered, deferred, bounced, refused, and a log-in that fails. */
async function someMail(cluster: SmallCluster, mx: FakeMx): Promise<void> {
  const from = cluster.facts.user.includes('@') ? cluster.facts.user : `${cluster.facts.user}@posthouse.example`
  const role = 'submission'
  await assert.rejects(cluster.send({ role, from, to: ['a@example.net'], password: 'wrong' }), { responseCode: 535 })
  await assert.rejects(cluster.send({ role, from, to: ['a@example.net'], password: null }), { responseCode: 530 })
  await cluster.send({ role, from, to: ['a@example.net', 'later@example.net', 'nobody@example.net'] })
  await cluster.send({ role: 'relay', from: 'app@example.org', to: ['b@example.net'] })
  // The two that are taken, and the report about the one that is not.
  await mx.until(({ messages }) => messages.length >= 3)
}
