#!/usr/bin/env node
// The `posthouse` command of the image, in PATH: `kubectl exec POD -- posthouse queue count`. The same as everywhere, only
// that a container has a place where the queue is found without being named: /etc/posthouse/cli.yaml.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CLI_SETTINGS, inImage } from './command-line.ts'

const main = join(import.meta.dirname, '../../services/cli/main.ts')
const { args, environment } = inImage(process.argv.slice(2), process.env, existsSync(CLI_SETTINGS))
process.argv = [process.execPath, main, ...args]
process.env = environment
await import(pathToFileURL(main).href)
