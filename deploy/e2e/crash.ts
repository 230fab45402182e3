// Ends the process of a service from within its own container, at once: nothing is handed over, released, drained or flushed, as when
// the kernel ends it for want of memory. Process 1 of a container takes no SIGKILL from inside, and deleting a pod by force still
// sends SIGTERM first; so each is made to end itself.

import type { Component } from './scene.ts'

export interface Crash {
  /** Program and arguments, to be run in the service's container. It seldom comes to its own end. */
  readonly command: readonly string[]
  /** Exit status that tells this end from any other. */
  readonly status: number
}

/** No program of the release ends with it. */
const NODE_STATUS = 113
/** What the Go runtime ends with when SIGQUIT comes and nobody listens to it. */
const GO_STATUS = 2

const PATIENCE_MS = 20_000
/** For the debugger to go. */
const LEAVE_MS = 100

/**
 * Through the debugger that SIGUSR1 opens in Node, on the container's own loopback: the process leaves without running anything of its
 * own, not even what listens to its exit.
 */
const LEAVE = `
const deadline = setTimeout(() => { console.error('process 1 lets nobody in'); process.exit(1) }, ${PATIENCE_MS})
process.kill(1, 'SIGUSR1')
let target
while (target === undefined) {
  try {
    ;[target] = await (await fetch('http://127.0.0.1:9229/json/list')).json()
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const socket = new WebSocket(target.webSocketDebuggerUrl)
socket.onopen = () => {
  const params = { expression: 'void setTimeout(() => process.reallyExit(${NODE_STATUS}), ${LEAVE_MS})' }
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }))
}
// A process waits with its exit for a debugger that is still there.
socket.onmessage = () => socket.close()
socket.onclose = () => clearTimeout(deadline)
`

/** How the service of this component is made to end itself. */
export function crashOf(component: Component): Crash {
  if (component === 'nats')
    return { command: ['sh', '-c', 'kill -QUIT "$(cat /run/nats/nats.pid)"'], status: GO_STATUS }
  return { command: ['node', '--input-type=module', '--eval', LEAVE], status: NODE_STATUS }
}
