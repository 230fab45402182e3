/** The date of RFC 5322 3.3, in UTC. Many messages share a second, so the last answer is kept. */

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

let lastSecond = Number.NaN
let lastText = ''

/** `now` in ms since the epoch: "Tue, 24 Nov 2026 11:22:33 +0000". */
export function mailDate(now: number): string {
  const second = Math.floor(now / 1000)
  if (second === lastSecond) return lastText
  const at = new Date(second * 1000)
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map((part) => String(part).padStart(2, '0'))
  const date = `${at.getUTCDate()} ${months[at.getUTCMonth()] ?? ''} ${at.getUTCFullYear()}`
  lastText = `${days[at.getUTCDay()] ?? ''}, ${date} ${time.join(':')} +0000`
  lastSecond = second
  return lastText
}
