// The address that means all of this machine's: of IPv6 and IPv4 where there is IPv6, else of IPv4.

import { createServer } from 'node:net'

export function anyAddress(): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve('0.0.0.0'))
    probe.listen({ host: '::', port: 0 }, () => probe.close(() => resolve('::')))
  })
}
