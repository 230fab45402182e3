// The sources of the release before this one, laid out so that its nodes run beside this one's: taken from the history of
// this checkout, with the dependencies that are installed here.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

/** The last state of the sources whose records lack what this one's have: without the HELO name in the acceptance facts. */
const COMMIT = '6510d428763e040f50827208faa5bc09e48df15f'

/** Answers with the folder of its checkout, made below `dir` once. */
export async function previousRelease(dir: string): Promise<string> {
  const folder = join(dir, 'previous-release')
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.part`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  const archive = `${folder}.tar`
  try {
    await run('git', ['-C', ROOT, 'archive', '--output', archive, COMMIT])
  } catch (error) {
    throw new Error(`the previous release (${COMMIT.slice(0, 7)}) is not in the history of this checkout`, {
      cause: error,
    })
  }
  await run('tar', ['-xf', archive, '-C', unfinished])
  await rm(archive)
  await linkModules(join(ROOT, 'node_modules'), join(unfinished, 'node_modules'), unfinished)
  await rename(unfinished, folder)
  return folder
}

/** The same packages, but for the workspace's own, which are those of the release. */
async function linkModules(from: string, to: string, release: string): Promise<void> {
  await mkdir(join(to, '@posthouse'), { recursive: true })
  for (const name of await readdir(from)) {
    if (name !== '@posthouse') await symlink(join(from, name), join(to, name))
  }
  for (const name of await readdir(join(from, '@posthouse'))) {
    const source = resolve(from, '@posthouse', await readlink(join(from, '@posthouse', name)))
    const own = join(release, relative(ROOT, source))
    if (existsSync(own)) await symlink(relative(join(to, '@posthouse'), own), join(to, '@posthouse', name))
  }
}
