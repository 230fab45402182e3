// What HAProxy says of its servers on its page of numbers.

export interface ServerState {
  /** UP, DOWN, NOLB (no new connections), MAINT, each perhaps with more words. */
  readonly status: string
  readonly sessions: number
}

/** By "proxy/server". */
export async function balancerState(port: number): Promise<Map<string, ServerState>> {
  const answer = await fetch(`http://127.0.0.1:${port}/stats;csv`)
  const [head = '', ...rows] = (await answer.text()).trim().split('\n')
  const columns = head.replace(/^# /, '').split(',')
  return new Map(
    rows.map((row) => {
      const cells = row.split(',')
      const cell = (name: string): string => cells[columns.indexOf(name)] ?? ''
      return [`${cell('pxname')}/${cell('svname')}`, { status: cell('status'), sessions: Number(cell('scur')) }]
    }),
  )
}
