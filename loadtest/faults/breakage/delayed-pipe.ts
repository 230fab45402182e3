// One direction of a connection, in which everything arrives some time after it was sent, in the order it was sent.

import type { Socket } from 'node:net'

/** More than this under way, and the sender has to wait. */
const MOST_UNDER_WAY = 8 * 1024 * 1024

/** What is under way: bytes, or the news that no more will come. */
type Item = Buffer | 'end' | 'reset'

/** Passes on what comes from one socket to the other; the delay is asked for when something comes. */
export function pipeDelayed(from: Socket, to: Socket, delayMs: () => number): void {
  const items: { readonly item: Item; readonly due: number }[] = []
  let underWay = 0
  let lastDue = 0
  let hasEnded = false
  let isWaiting = false
  let timer: NodeJS.Timeout | undefined

  const take = (item: Item) => {
    if (to.destroyed) return
    // Nothing overtakes, also when the delay has become shorter.
    lastDue = Math.max(lastDue, performance.now() + delayMs())
    items.push({ item, due: lastDue })
    underWay += item.length
    if (underWay > MOST_UNDER_WAY) from.pause()
    pass()
  }

  const pass = () => {
    if (timer !== undefined) return
    for (let next = items[0]; next !== undefined && !isWaiting; next = items[0]) {
      const early = next.due - performance.now()
      // Timers are good for whole milliseconds: half of one early is as right as half of one late.
      if (early > 0.5) {
        timer = setTimeout(() => {
          timer = undefined
          pass()
        }, early)
        return
      }
      items.shift()
      deliver(next.item)
    }
  }

  const deliver = (item: Item) => {
    underWay -= item.length
    if (item === 'end') to.end()
    else if (item === 'reset') reset(to)
    else isWaiting = !to.write(item)
    if (from.isPaused() && underWay <= MOST_UNDER_WAY / 2) from.resume()
  }

  to.on('drain', () => {
    isWaiting = false
    pass()
  })
  to.on('close', () => {
    clearTimeout(timer)
    items.length = 0
    // What it still says is for nobody, but its end must be seen.
    from.resume()
  })
  from.on('data', take)
  from.on('end', () => {
    hasEnded = true
    take('end')
  })
  from.on('error', () => {}) // 'close' follows
  from.on('close', (hadError) => {
    if (hadError || !hasEnded) take('reset')
  })
}

function reset(socket: Socket) {
  // One that is not connected yet would first wait for that.
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
