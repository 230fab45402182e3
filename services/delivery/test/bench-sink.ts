/** The cheapest sink that speaks enough SMTP for the benchmark: answers by counting lines, looks at no content. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const END = Buffer.from('\r\n.\r\n')

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.write('220 sink\r\n')
  let inData = false
  let tail = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    let replies = ''
    let rest = chunk
    while (rest.length > 0) {
      if (inData) {
        const joined = tail.length > 0 ? Buffer.concat([tail, rest]) : rest
        const end = joined.indexOf(END)
        if (end < 0) {
          tail = joined.subarray(-4)
          break
        }
        inData = false
        tail = Buffer.alloc(0)
        replies += '250 2.0.0 Ok\r\n'
        rest = joined.subarray(end + 5)
        continue
      }
      const end = rest.indexOf(10)
      if (end < 0) break
      const verb = rest.toString('latin1', 0, 4)
      rest = rest.subarray(end + 1)
      if (verb === 'EHLO') replies += '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n'
      else if (verb === 'DATA') {
        replies += '354 go\r\n'
        inData = true
      } else if (verb === 'QUIT') {
        socket.end('221 bye\r\n')
        return
      } else replies += '250 2.1.0 Ok\r\n'
    }
    socket.write(replies, 'latin1')
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
