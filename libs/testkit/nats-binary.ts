// The nats-server that is used: it must be new enough. deploy/local/nats-server.ts downloads one where there is none.

import { findTool, inspectTool, isNewEnough as isAtLeast, type Tool, type ToolBinary } from './tool.ts'

/** Older ones fsync less than is promised (see ARCHITECTURE). */
export const MINIMUM = [2, 15] as const

export type NatsBinary = ToolBinary

export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+[^\s]*)/.exec(output)?.[1]
}

export const NATS_SERVER: Tool = {
  name: 'nats-server',
  variable: 'POSTHOUSE_NATS_SERVER',
  minimum: MINIMUM,
  ask: ['--version'],
  patienceMs: 10_000,
  parseVersion,
}

export const isNewEnough = (version: string): boolean => isAtLeast(version, MINIMUM)

export const inspect = (path: string): NatsBinary | undefined => inspectTool(NATS_SERVER, path)

/** The first server that is new enough. Throws when POSTHOUSE_NATS_SERVER names one that is not. */
export function findNatsServer(env: NodeJS.ProcessEnv = process.env): NatsBinary | undefined {
  return findTool(NATS_SERVER, env)
}

export function requireNatsServer(): NatsBinary {
  const binary = findNatsServer()
  if (binary !== undefined) return binary
  throw new Error(`no nats-server ${MINIMUM.join('.')} or newer found: \`npm test\` and \`npm start\` install one`)
}
