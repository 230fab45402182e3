// The alerts: Prometheus itself takes them and runs them over what it would have seen, each fires when it should and does not when
// it should not, and each tells people where to read on.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { debianProgram } from '@posthouse/testkit/debian-program'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { ALERTS_FILE, alertsIn, readRules } from './alerts.ts'
import type { AlertCase } from './test/alert-case.ts'
import { alertCases } from './test/alert-cases.ts'
import { ruleTests } from './test/rule-test.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = /^docs\/runbook\/[a-z-]+\.md$/
/** What a page of the runbook has to say, in this order. */
const HEADINGS = ['What it means', 'What the sender sees', 'How to look', 'What to do']

const rules = readRules()
const alerts = alertsIn(rules)

test('the file is the spec of a PrometheusRule as it stands', () => {
  assert.deepEqual(Object.keys(rules), ['groups'])
  for (const group of rules.groups) assert.deepEqual(Object.keys(group), ['name', 'rules'])
})

test('every alert says how bad it is, what it means, and where to read on', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name is there twice')
  for (const { alert, labels, annotations } of alerts) {
    assert.match(alert, /^Posthouse([A-Z][a-z]+)+$/)
    assert.deepEqual(Object.keys(labels), ['severity'], alert)
    assert.match(labels['severity'] ?? '', /^(critical|warning|info)$/, alert)
    assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook'], alert)
    assert.match(annotations['summary'] ?? '', /^[A-Z][^{}]*\.$/, alert)
  }
})

test('every alert has its page, which says what to look at and what to do', () => {
  for (const { alert, annotations } of alerts) {
    const page = annotations['runbook'] ?? ''
    assert.match(page, PAGE, alert)
    assert.ok(existsSync(join(ROOT, page)), page)
    const text = readFileSync(join(ROOT, page), 'utf8')
    const headings = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1])
    assert.deepEqual(headings, HEADINGS, page)
    assert.match(text, new RegExp(`^# .*\n\n(?:.*\n)*?.*\`${alert}\``), `${page} names ${alert}`)
    assert.match(text, /^```sh\n[^]*?^## What to do/m, `${page} shows commands`)
  }
})

test('every alert is tried when it has to fire, and when it has not to', () => {
  for (const { alert } of alerts) {
    const cases = alertCases.filter((one) => one.alert === alert)
    const fires = ({ fires: all }: AlertCase) => all.some((one) => one.alert === alert)
    assert.ok(cases.some(fires), `${alert} fires in no case`)
    assert.ok(!cases.every(fires), `${alert} fires in every case`)
  }
})

test('Prometheus takes the rules', async (t) => {
  const promtool = await promtoolFor((line) => t.diagnostic(line))
  const check = spawnSync(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', ALERTS_FILE], { encoding: 'utf8' })
  assert.equal(check.status, 0, check.stdout + check.stderr)
})

test('in every case those alerts fire that should and no others, with the labels of either scraper', async (t) => {
  const result = await runCases(alertCases, (line) => t.diagnostic(line))
  assert.equal(result.status, 0, result.stdout + result.stderr)
})

test('a case that expects something else fails', async (t) => {
  for (const change of [
    { fires: [] },
    { at: 21 },
    { fires: [{ alert: 'PosthouseNoEdge', labels: () => ({ namespace: 'else' }), says: () => '' }] },
  ]) {
    const one = alertCases.find(({ alert }) => alert === 'PosthouseNoEdge')
    assert.ok(one)
    const result = await runCases([{ ...one, ...change }], (line) => t.diagnostic(line))
    assert.equal(result.status, 1, result.stdout + result.stderr)
    assert.match(result.stdout + result.stderr, /PosthouseNoEdge/)
  }
})

async function runCases(cases: readonly AlertCase[], say: (line: string) => void) {
  const promtool = await promtoolFor(say)
  await using folder = await temporaryFolder('alerts')
  const file = join(folder.path, 'alerts.test.yaml')
  await writeFile(
    file,
    stringify(ruleTests(ALERTS_FILE, alerts, cases), { aliasDuplicateObjects: false, lineWidth: 0 }),
  )
  return spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function promtoolFor(say: (line: string) => void): Promise<string> {
  return debianProgram('promtool', 'prometheus', say)
}
