// Stands in for kubectl and helm: `node fake-program.ts FOLDER NAME ARGUMENT…`. It writes down each call in FOLDER/calls and answers
// as FOLDER/rules.json says: the first rule that fits, or with exit status 1 and a sentence when none does.

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rule } from './fake-programs.ts'

const [folder = '', name = '', ...args] = process.argv.slice(2)
const line = [name, ...args.filter((arg) => !arg.startsWith('--namespace=posthouse-'))].join(' ')
const input = line.includes('--filename=-') || line.includes('--values=-') ? readFileSync(0, 'utf8') : ''
appendFileSync(join(folder, 'calls'), `${JSON.stringify({ line, input })}\n`)

const rules = JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8')) as readonly Rule[]
const marked = (mark: string) => existsSync(join(folder, `mark-${mark}`))
const rule = rules.find(({ call, when, unless }) => {
  return (
    new RegExp(call).test(line) && (when === undefined || marked(when)) && (unless === undefined || !marked(unless))
  )
})
if (rule === undefined) {
  process.stderr.write(`no rule for: ${line}\n`)
  process.exitCode = 1
} else {
  if (rule.sets !== undefined) writeFileSync(join(folder, `mark-${rule.sets}`), '')
  if (rule.clears !== undefined) rmSync(join(folder, `mark-${rule.clears}`), { force: true })
  const { says = '', complains = '', status = 0, hangs = false } = rule
  process.stderr.write(complains)
  process.stdout.write(typeof says === 'string' ? says : JSON.stringify(says))
  process.exitCode = status
  if (hangs) setInterval(() => {}, 1000)
}
