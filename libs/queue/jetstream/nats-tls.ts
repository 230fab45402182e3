/**
 * TLS to the NATS servers. The servers' certificates are always verified, against the given authorities alone. The files are read
 * anew for every connection, so that a renewed certificate needs no restart. What is wrong with them, or with the
 * server's, is told in one line that names the setting.
 */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Server, TlsOptions } from 'nats'

/** Paths of PEM files. */
export interface NatsTls {
  /** Authorities that sign the certificates of the servers. */
  readonly caFile: string
  /** The client's own, where the servers ask for one. */
  readonly client?: { readonly certFile: string; readonly keyFile: string }
}

type Files = { readonly caFile: string; readonly certFile: string; readonly keyFile: string }

/** Options of one connection. The client reads the files whenever it dials. */
export function tlsOptions(tls: NatsTls): TlsOptions {
  return { caFile: tls.caFile, ...tls.client }
}

/** A server known by its address has no name of its own to be checked: without this `localhost` would be. */
export function expectCertificateOf(options: TlsOptions, { hostname }: Server): void {
  Object.assign(options, { host: hostname })
}

/** Throws an Error of one line if the files cannot be used. */
export async function checkTlsFiles({ caFile, client }: NatsTls): Promise<void> {
  const ca = await read('caFile', caFile)
  attempt('caFile', caFile, () => createSecureContext({ ca }))
  if (client === undefined) return
  const cert = await read('certFile', client.certFile)
  attempt('certFile', client.certFile, () => createSecureContext({ cert }))
  const key = await read('keyFile', client.keyFile)
  attempt('keyFile', client.keyFile, () => createSecureContext({ cert, key }))
}

async function read(name: keyof Files, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`nats.tls.${name}: cannot read ${file}: ${error.message}`, { cause: error })
  })
  // What is empty would count as not given.
  if (!text.includes('-----BEGIN ')) throw new Error(`nats.tls.${name}: ${file} is not PEM`)
  return text
}

function attempt(name: keyof Files, file: string, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw new Error(`nats.tls.${name}: ${file} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

/** Why a handshake failed, beginning with the setting; undefined: it was not TLS. */
export function explainTls(error: unknown, tls: NatsTls | undefined): string | undefined {
  const { message, code } = causeOf(error)
  if (/does not support 'tls'/.test(message)) {
    return 'nats.tls.caFile: the NATS server offers no TLS, and a connection without it is not made'
  }
  if (
    /CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT_(BAD|UNKNOWN|UNSUPPORTED)_C|ALERT_CERTIFICATE|UNKNOWN_CA/.test(
      code,
    )
  ) {
    return tls?.client === undefined
      ? `nats.tls.certFile: the NATS server wants a certificate of this process (${message})`
      : `nats.tls.certFile: the NATS server does not accept the certificate of this process (${message})`
  }
  if (/CERT|ISSUER|SIGNATURE|CRL|ERR_TLS/.test(code)) {
    return tls === undefined
      ? `nats.tls.caFile: not set, and the certificate of the NATS server is signed by no known authority (${message})`
      : `nats.tls.caFile: the certificate of the NATS server is not to be trusted (${message})`
  }
  if (/^ERR_SSL|EPROTO/.test(code)) return `nats.tls.caFile: TLS with the NATS server failed (${message})`
  return undefined
}

/** The innermost error: the client wraps some. OpenSSL's message has addresses and line ends, its reason has not. */
function causeOf(error: unknown): { readonly message: string; readonly code: string } {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (!(inner instanceof Error)) return { message: String(error), code: '' }
  const { code = '', reason = inner.message } = inner as { readonly code?: string; readonly reason?: string }
  return { message: reason, code }
}
