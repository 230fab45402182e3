/**
 * The certificate in use: from its files, read again when they change; or, on a machine of one's own, made at the start
 * and thrown away. A pair that does not belong together, as when only one of the files is new yet, is never used.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Log } from '@posthouse/runtime/log'
import { StartError } from '@posthouse/runtime/start-error'
import type { TlsFiles } from './listener.ts'
import { makeCertificate } from './self-signed.ts'
import type { EdgeSettings } from './settings.ts'
import { FilesRead, watchFiles } from './watched-file.ts'

export interface Certificate {
  readonly current: TlsFiles
  /** Of the one in use; ms since the epoch. */
  readonly expiresAt: number
  onChange(listener: (tls: TlsFiles) => void): void
  close(): void
}

/** Undefined if neither files are named nor the node is local: then no listener offers TLS. */
export function loadCertificate(settings: EdgeSettings, log: Log): Certificate | undefined {
  const { certFile, keyFile } = settings.tls
  if (certFile === undefined || keyFile === undefined) {
    if (!settings.local) return undefined
    log.warn({ hostname: settings.hostname }, 'using a throw-away certificate: no client can verify it')
    const made = makeCertificate(settings.hostname, Date.now())
    return {
      current: made,
      expiresAt: expiryOf(made),
      onChange: () => undefined,
      close: () => undefined,
    }
  }
  const read = (from: FilesRead): TlsFiles => readCertificate(certFile, keyFile, (path) => from.read(path))
  const files = new FilesRead()
  let current: TlsFiles
  try {
    current = read(files)
  } catch (error) {
    throw new StartError('tls.certFile', `cannot use ${certFile}: ${(error as Error).message}`, { cause: error })
  }
  const listeners: ((tls: TlsFiles) => void)[] = []
  const close = watchFiles(files, (changed) => {
    try {
      current = read(changed)
      for (const listener of listeners) listener(current)
      log.info({ file: certFile, validTo: new X509Certificate(current.cert).validTo }, 'certificate read again')
    } catch (error) {
      // Switched between the one file and the other: that is no mistake of anybody's, and the next look reads both.
      if (changed.haveChanged) return
      log.error(
        { file: certFile, reason: (error as Error).message },
        'the certificate is wrong: the one of before stays',
      )
    }
  })
  return {
    get current() {
      return current
    },
    get expiresAt() {
      return expiryOf(current)
    },
    onChange: (listener) => listeners.push(listener),
    close,
  }
}

function expiryOf({ cert }: TlsFiles): number {
  return Date.parse(new X509Certificate(cert).validTo)
}

/** Throws if the two cannot be used, or the key does not belong to the certificate. */
export function readCertificate(certFile: string, keyFile: string, readFile: (path: string) => Buffer): TlsFiles {
  const tls = { cert: readFile(certFile), key: readFile(keyFile) }
  createSecureContext(tls)
  // OpenSSL keeps a place for each kind of key: an RSA certificate with an EC key is taken, and then no handshake succeeds.
  if (!new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key))) {
    throw new Error(`${keyFile} is not the key of ${certFile}`)
  }
  return tls
}
