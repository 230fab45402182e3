// What is secret lies in Secrets only: not in settings, not in arguments, not in what `kubectl describe` shows.
import type { KubeObject, Rendering } from '../manifest.ts'
import { containersOf, contentsOf, nameOf, ofKind, workloads } from '../manifest.ts'

/** Shorter ones may be in other texts by chance. */
const LEAST_LENGTH = 8
const NAMED = /\b(password|passphrase|secret|token|key)["']?\s*[:=]\s*["']?([^\s"',}\]]+)/gi
const VARIABLE_OF_SECRET = /(PASSWORD|PASSPHRASE|SECRET|TOKEN)$/
const IN_URL = /:\/\/[^\s/:@"]+:([^\s/@"]+)@/g
/** A variable stands for it: $NAME for the NATS server, $(NAME) for Kubernetes. */
const IS_VARIABLE = /^\$(\w+|\(\w+\))$/

/** No value of a Secret is anywhere else, and no other text sets a password by its name. */
export function secretsInSecrets(rendering: Rendering): string[] {
  const others = rendering.objects.filter(({ kind }) => kind !== 'Secret')
  const values = ofKind(rendering, 'Secret').flatMap((secret) =>
    Object.entries(contentsOf(secret))
      // A certificate is shown to everybody; its private key is not.
      .filter(([, value]) => value.length >= LEAST_LENGTH && !value.startsWith('-----BEGIN CERTIFICATE'))
      .map(([key, value]) => ({ name: `${nameOf(secret)}, key ${key}`, value: value.trim() })),
  )
  return others.flatMap((object) => {
    const text = JSON.stringify(object)
    const copied = values.filter(
      ({ value }) =>
        text.includes(JSON.stringify(value).slice(1, -1)) || text.includes(Buffer.from(value).toString('base64')),
    )
    return [
      ...copied.map(({ name }) => `${nameOf(object)} shows what is in ${name}`),
      ...inPlainText(object).map((what) => `${nameOf(object)} ${what}`),
    ]
  })
}

function inPlainText(object: KubeObject): string[] {
  if (object.kind === 'ConfigMap') return Object.values(contentsOf(object)).flatMap(plain)
  return workloads({ objects: [object] }).flatMap(({ template }) =>
    containersOf(template).flatMap(({ command = [], args = [], env = [] }) => [
      ...[...command, ...args, ...env.map(({ value = '' }) => value)].flatMap(plain),
      ...env
        .filter(({ name, value }) => VARIABLE_OF_SECRET.test(name) && value !== undefined && !IS_VARIABLE.test(value))
        .map(({ name }) => `sets ${name} in plain text`),
    ]),
  )
}

function plain(text: string): string[] {
  return [
    ...[...text.matchAll(NAMED)]
      .filter(([, name = '', value = '']) => !IS_VARIABLE.test(value) && !isNoSecret(name, value))
      .map(([, name = '']) => `sets a ${name} in plain text`),
    ...[...text.matchAll(IN_URL)]
      .filter(([, password = '']) => !IS_VARIABLE.test(password))
      .map(() => 'has a password in an address'),
  ]
}

/** "key" names an entry, a label or a taint nearly everywhere; only in a nats.conf is it one. */
function isNoSecret(name: string, value: string): boolean {
  return name.toLowerCase() === 'key' && !/^[A-Za-z0-9+/=]{24,}$/.test(value)
}
