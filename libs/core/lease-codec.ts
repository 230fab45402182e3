/**
 * The lease record as the JSON payload of `log.p.lease`. Fields are only ever added: an older node must be able to take
 * over from a newer one, and the reverse. Unknown fields are dropped, as a lease is made anew by each owner.
 */
import type { Lease } from './lease.ts'
import { asCount, asFields, asText, parseJson, WireError } from './wire-error.ts'

export const LEASE_VERSION = 1

export function encodeLease(lease: Lease): Buffer {
  const { id, node, name, time, floor, floorTime, r, trimmed, mayBegin, suspects, backlog, released } = lease
  return Buffer.from(
    JSON.stringify({
      v: LEASE_VERSION,
      id,
      node,
      name,
      time,
      floor,
      floorTime,
      r,
      trimmed,
      mayBegin,
      suspects,
      backlog,
      released,
    }),
  )
}

export function decodeLease(payload: Uint8Array): Lease {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  const json = asFields(parseJson(text, 'lease'), 'lease')
  if (asCount(json['v'], 'lease.v') !== LEASE_VERSION) {
    throw new WireError('version', `a lease of version ${String(json['v'])} cannot be read by version ${LEASE_VERSION}`)
  }
  const mayBegin = asFields(json['mayBegin'], 'lease.mayBegin')
  const suspects = asFields(json['suspects'], 'lease.suspects')
  const backlog = asFields(json['backlog'], 'lease.backlog')
  return {
    id: asText(json['id'], 'lease.id'),
    node: asText(json['node'], 'lease.node'),
    name: asText(json['name'], 'lease.name'),
    time: asCount(json['time'], 'lease.time'),
    floor: asCount(json['floor'], 'lease.floor'),
    floorTime: asCount(json['floorTime'], 'lease.floorTime'),
    r: asCount(json['r'], 'lease.r'),
    mayBegin: { mail: asCount(mayBegin['mail'], 'mayBegin.mail'), due: asCount(mayBegin['due'], 'mayBegin.due') },
    suspects: {
      mail: asCount(suspects['mail'], 'suspects.mail'),
      log: asCount(suspects['log'], 'suspects.log'),
      due: asCount(suspects['due'], 'suspects.due'),
    },
    backlog: {
      ready: asCount(backlog['ready'], 'backlog.ready'),
      later: asCount(backlog['later'], 'backlog.later'),
      bytes: asCount(backlog['bytes'], 'backlog.bytes'),
    },
    released: json['released'] === true,
    ...(json['trimmed'] === undefined ? {} : { trimmed: asCount(json['trimmed'], 'lease.trimmed') }),
  }
}
