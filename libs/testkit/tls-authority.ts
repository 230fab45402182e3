// A certificate authority that lives as long as its folder, and the certificates it signs: for tests of TLS on loopback. Two
// authorities do not trust each other. Made with openssl, which `npm test` asks for.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const NEW_CERTIFICATE = ['req', '-x509', ...NEW_KEY]
const DAYS = 30

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export class TlsAuthority {
  /** What a client must trust: as a file, and as PEM. */
  readonly caFile: string
  readonly ca: string
  readonly #dir: string
  #issued = 0

  private constructor(dir: string, caFile: string, ca: string) {
    this.#dir = dir
    this.caFile = caFile
    this.ca = ca
  }

  /** Files go into `dir`, which is the caller's. */
  static async create(dir: string, name = 'Test authority'): Promise<TlsAuthority> {
    const caFile = join(dir, 'ca.pem')
    const output = ['-keyout', join(dir, 'ca.key'), '-out', caFile]
    await openssl([
      ...NEW_CERTIFICATE,
      ...output,
      '-days',
      String(DAYS),
      '-subj',
      `/CN=${name}`,
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    ])
    return new TlsAuthority(dir, caFile, await readFile(caFile, 'utf8'))
  }

  /** A certificate for these host names and addresses, for servers and clients alike; the first is its common name. */
  async issue(names: readonly [string, ...string[]], days = DAYS): Promise<Certificate> {
    const stem = join(this.#dir, `certificate-${++this.#issued}`)
    const [certFile, keyFile] = [`${stem}.pem`, `${stem}.key`]
    const alternatives = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`)
    const signer = ['-CA', this.caFile, '-CAkey', join(this.#dir, 'ca.key')]
    const extensions = [
      `subjectAltName=${alternatives.join(',')}`,
      'basicConstraints=critical,CA:FALSE',
      'extendedKeyUsage=serverAuth,clientAuth',
    ].flatMap((extension) => ['-addext', extension])
    const output = ['-keyout', keyFile, '-out', certFile, '-days', String(days)]
    await openssl([...NEW_CERTIFICATE, ...signer, ...output, '-subj', `/CN=${names[0]}`, ...extensions])
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    return { certFile, keyFile, cert, key }
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args).catch((error: Error & { stderr?: string }) => {
    throw new Error(`openssl ${args[0]} failed: ${error.stderr?.trim() || error.message}`)
  })
}
