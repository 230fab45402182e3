// Takes programs out of Debian packages of another suite than the machine runs, without installing anything and without
// touching the machine's package state: a private apt folder whose only source is the suite on a mirror that the machine
// uses already, verified with the machine's own archive keys.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const MIRRORS_TRIED = 3

/** Base addresses of the archives in the machine's sources, without the security, update and backport archives. */
export function mirrors(indexTargets: string): string[] {
  const found = indexTargets
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter(([uri, release]) => uri && release && !/[-/](security|updates|backports)/.test(release))
    .map(([uri]) => uri as string)
  return [...new Set(found)]
}

export function sourceEntry(uri: string, suite: string, keyring?: string): string {
  const lines = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, 'Components: main']
  if (keyring !== undefined) lines.push(`Signed-By: ${keyring}`)
  return lines.join('\n') + '\n'
}

/** The first lines of what apt complained about; the whole is long. */
function complaint(error: unknown): string {
  const { stderr, code, message } = error as { stderr?: string; code?: unknown; message: string }
  if (code === 'ENOENT') return 'there is no apt-get or dpkg-deb here'
  const errors = (stderr ?? '').split('\n').filter((line) => /^[EW]: /.test(line))
  const text = (errors.length > 0 ? errors : [message.split('\n')[0] as string]).slice(0, 2).join(' ')
  return text.includes('NO_PUBKEY')
    ? `${text} (the archive keys are too old: install a newer debian-archive-keyring)`
    : text
}

export async function downloadDebianPackage(
  name: string,
  suite: string,
  program: string,
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  return join(await unpackDebianPackages([name], suite, 16, folder, say), program)
}

/** Unpacks all of them into one folder below `folder` and resolves with it. `megabytes` is what there is to fetch, about. */
export async function unpackDebianPackages(
  names: readonly string[],
  suite: string,
  megabytes: number,
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  try {
    const listing = ['indextargets', '--no-release-info', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages']
    const uris = mirrors((await run('apt-get', [...listing, 'Component: main'])).stdout).slice(0, MIRRORS_TRIED)
    if (uris.length === 0) throw new Error("the machine's apt sources name no mirror")
    let last: unknown
    for (const [index, uri] of uris.entries()) {
      try {
        const at = join(folder, `apt-${index}`)
        say(
          `fetching ${names.join(', ')} from Debian ${suite}, by the mirror this machine uses (about ${megabytes} MB)`,
        )
        await fetchPackages(names, suite, uri, at)
        const files = (await readdir(at)).filter((entry) => entry.endsWith('.deb'))
        if (files.length < names.length) throw new Error('apt-get downloaded nothing')
        for (const file of files) await run('dpkg-deb', ['-x', join(at, file), join(at, 'unpacked')])
        return join(at, 'unpacked')
      } catch (error) {
        last = error
      }
    }
    throw last
  } catch (error) {
    throw new Error(complaint(error), { cause: error })
  }
}

async function fetchPackages(names: readonly string[], suite: string, uri: string, at: string): Promise<void> {
  await mkdir(join(at, 'lists', 'partial'), { recursive: true })
  await mkdir(join(at, 'cache', 'archives', 'partial'), { recursive: true })
  const source = join(at, 'suite.sources')
  await writeFile(source, sourceEntry(uri, suite, existsSync(KEYRING) ? KEYRING : undefined))
  const options = {
    'Dir::State': at,
    'Dir::State::lists': join(at, 'lists'),
    'Dir::Cache': join(at, 'cache'),
    'Dir::Etc::sourcelist': source,
    'Dir::Etc::sourceparts': '-',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '30',
    'APT::Sandbox::User': 'root', // the folder is private, apt's own user could not write into it
    'APT::Update::Error-Mode': 'any', // a mirror without the suite is an error, not a warning
  }
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const how = { cwd: at, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } }
  await run('apt-get', [...flags, '-q', 'update'], how)
  await run('apt-get', [...flags, '-q', 'download', ...names], how)
}
