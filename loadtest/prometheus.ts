// Reads the text that Prometheus would read from a node: sums of a metric over its labels and over nodes.

export interface Sample {
  readonly name: string
  readonly labels: string
  readonly value: number
}

export function samplesIn(text: string): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)/.exec(line)
    if (match !== null) samples.push({ name: match[1] ?? '', labels: match[2] ?? '', value: Number(match[3]) })
  }
  return samples
}

export function sumOf(samples: readonly Sample[], name: RegExp): number {
  return samples.reduce((sum, sample) => (name.test(sample.name) ? sum + sample.value : sum), 0)
}

/** What the nodes answer; one that cannot be asked answers nothing. */
export async function scrape(addresses: readonly string[]): Promise<Sample[]> {
  const answers = addresses.map(async (address) => {
    try {
      const url = new URL(address)
      if (url.pathname === '/') url.pathname = '/metrics'
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
      return response.ok ? samplesIn(await response.text()) : []
    } catch {
      return []
    }
  })
  return (await Promise.all(answers)).flat()
}
