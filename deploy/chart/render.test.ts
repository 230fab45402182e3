import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@posthouse/testkit/temporary-folder'
import { notes, parseObjects, render } from './render.ts'

const CHART = 'apiVersion: v2\nname: small\nversion: 0.0.1\n'

/** A chart of one template. */
async function chart(folder: string, template: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  await mkdir(join(folder, 'small', 'templates'), { recursive: true })
  const all = { 'Chart.yaml': CHART, 'templates/one.yaml': template, ...files }
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, 'small', name), text)
  return join(folder, 'small')
}

const map = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {${data}}\n`

test('values go in as they are said, and what helm knows of the release', async () => {
  await using folder = await temporaryFolder()
  const template = map(
    'a: {{ .Values.a | toJson | quote }}, b: "{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.IsUpgrade }}"',
  )
  const path = await chart(folder.path, template, { 'values.yaml': 'a: {}\n', 'more.yaml': 'a: {x: 1, "y": 1}\n' })
  const rendered = await render({
    chart: path,
    files: [join(path, 'more.yaml')],
    // Words that some take for a yes or a number stay what they are.
    values: { a: { y: 'no', z: '0440' } },
    release: 'r',
    namespace: 'n',
    isUpgrade: true,
  })
  assert.equal(rendered.is, 'rendered')
  const [object] = rendered.is === 'rendered' ? rendered.objects : []
  assert.deepEqual(object?.data, { a: '{"x":1,"y":"no","z":"0440"}', b: 'r n true' })
})

test('what the cluster has is said by the caller, not asked of a cluster', async () => {
  await using folder = await temporaryFolder()
  const template = map(
    'v: "{{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "x.org/v1/Thing" }}"',
  )
  const path = await chart(folder.path, template)
  const said = await render({ chart: path, kubeVersion: '1.31.2', apiVersions: ['x.org/v1/Thing'] })
  assert.deepEqual(said.is === 'rendered' && said.objects[0]?.data, { v: 'v1.31.2 true' })
})

test('a refusal is told in the words of the chart', async () => {
  await using folder = await temporaryFolder()
  const path = await chart(folder.path, '{{ fail "a.b: is wrong." }}')
  assert.deepEqual(await render({ chart: path }), { is: 'refused', why: 'a.b: is wrong.' })
  await assert.rejects(notes({ chart: path }), /^Error: a\.b: is wrong\.$/)
})

test('the notes are told apart from the objects', async () => {
  await using folder = await temporaryFolder()
  const path = await chart(folder.path, map('a: b'), { 'templates/NOTES.txt': 'Now do {{ .Release.Name }}.\n' })
  assert.equal(await notes({ chart: path, release: 'this' }), 'Now do this.')
})

test('objects are read as Kubernetes reads them', () => {
  const [object] = parseObjects('# nothing\n---\nkind: A\nmetadata: {name: a}\nspec: {mode: 0440, on: yes}\n---\n')
  assert.deepEqual(object?.spec, { mode: 288, true: true })
  assert.deepEqual(parseObjects('\n---\n# nothing\n'), [])
})

test('what is no object is not passed over', () => {
  const table: [text: string, says: RegExp][] = [
    ['kind: A\nkind: B\nmetadata: {name: a}\n', /not valid YAML: .*unique/],
    ['kind: A\nmetadata: {name: a\n', /not valid YAML/],
    ['kind: A\n', /not an object of Kubernetes: \{"kind":"A"\}/],
    ['metadata: {name: a}\n', /not an object of Kubernetes/],
  ]
  for (const [text, says] of table) assert.throws(() => parseObjects(text), says)
})
