// The official release of nats-server, for machines without a Debian mirror: one version, pinned by the checksums that
// the release publishes.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const VERSION = '2.15.0'
const SHA256: Readonly<Record<string, string>> = {
  'linux-amd64': '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
  'linux-arm64': 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
}

export function releaseOf(platform: string, arch: string): { url: string; folder: string; sha256: string } {
  const key = `${platform}-${arch === 'x64' ? 'amd64' : arch}`
  const sha256 = SHA256[key]
  if (sha256 === undefined) throw new Error(`no pinned release for ${key}`)
  const folder = `nats-server-v${VERSION}-${key}`
  return {
    url: `https://github.com/nats-io/nats-server/releases/download/v${VERSION}/${folder}.tar.gz`,
    folder,
    sha256,
  }
}

export function verify(content: Uint8Array, sha256: string): void {
  const actual = createHash('sha256').update(content).digest('hex')
  if (actual !== sha256) throw new Error(`checksum is ${actual}, expected ${sha256}`)
}

export async function downloadRelease(folder: string, say: (line: string) => void): Promise<string> {
  const release = releaseOf(process.platform, process.arch)
  say(`fetching nats-server ${VERSION}, the official release (about 7 MB)`)
  const answer = await fetch(release.url, { signal: AbortSignal.timeout(120_000) }).catch((error: Error) => {
    throw new Error(`${release.url}: ${(error.cause as Error | undefined)?.message ?? error.message}`)
  })
  if (!answer.ok) throw new Error(`${release.url}: HTTP status ${answer.status}`)
  const content = new Uint8Array(await answer.arrayBuffer())
  verify(content, release.sha256)
  const archive = join(folder, 'release.tar.gz')
  await writeFile(archive, content)
  await promisify(execFile)('tar', ['-xzf', archive, '-C', folder])
  return join(folder, release.folder, 'nats-server')
}
