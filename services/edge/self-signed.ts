/**
 * A self-signed certificate (RFC 5280) for one host name, good for a machine of one's own: ECDSA P-256, thirty days.
 * Node makes keys and signatures but no certificates, so the few lines of DER are written here.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'
import type { TlsFiles } from './listener.ts'

const day = 24 * 60 * 60 * 1000

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const UTF8_STRING = 0x0c
const GENERALIZED_TIME = 0x18
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3

// Object identifiers, in DER.
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex')
const commonName = Buffer.from('0603550403', 'hex')
const subjectAltName = Buffer.from('0603551d11', 'hex')

export function makeCertificate(hostname: string, now: number): TlsFiles {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, ecdsaWithSha256)
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, commonName, der(UTF8_STRING, Buffer.from(hostname.slice(0, 64))))))
  const serial = randomBytes(16)
  // Positive and without a leading zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = der(
    SEQUENCE,
    der(CONTEXT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, time(now - day), time(now + 30 * day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(CONTEXT_3, der(SEQUENCE, der(SEQUENCE, subjectAltName, der(OCTET_STRING, alternativeNames(hostname))))),
  )
  const certificate = der(
    SEQUENCE,
    body,
    algorithm,
    der(BIT_STRING, Buffer.from([0]), sign('sha256', body, privateKey)),
  )
  const base64 = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

function alternativeNames(hostname: string): Buffer {
  const dns = (name: string): Buffer => der(0x82, Buffer.from(name))
  const address = (text: string): Buffer => der(0x87, Buffer.from(text.split('.').map(Number)))
  const own = isIPv4(hostname) ? address(hostname) : dns(hostname)
  return der(SEQUENCE, own, dns('localhost'), address('127.0.0.1'))
}

function time(at: number): Buffer {
  return der(GENERALIZED_TIME, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
