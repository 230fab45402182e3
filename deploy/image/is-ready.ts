#!/usr/bin/env node
// The health check of a container, in PATH, where nobody else looks: `is-ready [URL]`. Status 0 when the node says that it is
// ready; else 1, and on standard output why not, as the node or the connection says it.

const PATIENCE_MS = 3000

const url = process.argv[2] ?? 'http://127.0.0.1:8080/readyz'
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
  process.stdout.write(await answer.text())
  process.exitCode = answer.ok ? 0 : 1
} catch (error) {
  const { message, cause } = error as Error
  process.stdout.write(`${url}: ${cause instanceof Error ? cause.message : message}\n`)
  process.exitCode = 1
}
