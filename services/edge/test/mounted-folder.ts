/**
 * A folder as Kubernetes mounts a Secret or ConfigMap: every file is a symbolic link to ..data/NAME, and ..data is one to a
 * folder of this version. A new version is written beside the old one; then a rename switches ..data, all files at once.
 */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class MountedFolder {
  readonly path: string
  #version = 0

  /** `path` is made. */
  constructor(path: string, files: Readonly<Record<string, string>>) {
    this.path = path
    mkdirSync(path)
    this.#switchTo(files)
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), this.file(name))
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** The same files with other contents. */
  update(files: Readonly<Record<string, string>>): void {
    const before = this.#switchTo(files)
    rmSync(before, { recursive: true })
  }

  /** Returns the folder of the version before. */
  #switchTo(files: Readonly<Record<string, string>>): string {
    const before = this.file(`..version-${this.#version}`)
    this.#version += 1
    const version = `..version-${this.#version}`
    mkdirSync(this.file(version))
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.file(version), name), content)
    symlinkSync(version, this.file('..data_tmp'))
    renameSync(this.file('..data_tmp'), this.file('..data'))
    return before
  }
}
