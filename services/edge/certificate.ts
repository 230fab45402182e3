/**
 * The certificate in use: from its files, read again when they change; or, on a machine of one's own, made at the start
 * and thrown away.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Log } from '@posthouse/runtime/log'
import { StartError } from '@posthouse/runtime/start-error'
import type { TlsFiles } from './listener.ts'
import { makeCertificate } from './self-signed.ts'
import type { EdgeSettings } from './settings.ts'
import { watchFiles } from './watched-file.ts'

export interface Certificate {
  readonly current: TlsFiles
  onChange(listener: (tls: TlsFiles) => void): void
  close(): void
}

/** Undefined if neither files are named nor the node is local: then no listener offers TLS. */
export function loadCertificate(settings: EdgeSettings, log: Log): Certificate | undefined {
  const { certFile, keyFile } = settings.tls
  if (certFile === undefined || keyFile === undefined) {
    if (!settings.local) return undefined
    log.warn({ hostname: settings.hostname }, 'using a throw-away certificate: no client can verify it')
    return {
      current: makeCertificate(settings.hostname, Date.now()),
      onChange: () => undefined,
      close: () => undefined,
    }
  }
  let current: TlsFiles
  try {
    current = read(certFile, keyFile)
  } catch (error) {
    throw new StartError('tls.certFile', `cannot use ${certFile}: ${(error as Error).message}`, { cause: error })
  }
  const listeners: ((tls: TlsFiles) => void)[] = []
  const close = watchFiles([certFile, keyFile], () => {
    try {
      current = read(certFile, keyFile)
      for (const listener of listeners) listener(current)
      log.info({ file: certFile, validTo: new X509Certificate(current.cert).validTo }, 'certificate read again')
    } catch (error) {
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
    onChange: (listener) => listeners.push(listener),
    close,
  }
}

/** Throws if the key does not belong to the certificate. */
function read(certFile: string, keyFile: string): TlsFiles {
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
  createSecureContext(tls)
  return tls
}
