// Destinations and name servers that misbehave.

import type { Fault } from '../fault.ts'
import type { DnsBehaviour, SiteBehaviour } from '../sites.ts'
import { DOWN_MS } from './process.ts'

function site(name: string, what: string, behaviour: SiteBehaviour, duplicates: boolean, quick = false): Fault {
  return {
    name: `site-${name}`,
    kind: 'site',
    what,
    needs: 'loopback',
    quick,
    bars: { gapMs: 1000, duplicates },
    async run(scene) {
      const domain = scene.pick(scene.sites.domains)
      scene.mark('hit', [domain], `${domain}: ${name}`)
      scene.sites.behave(domain, behaviour)
      await scene.hold(DOWN_MS)
      scene.sites.heal()
      scene.mark('heal', [domain], 'well again')
    },
  }
}

function dns(behaviour: Exclude<DnsBehaviour, 'right'>, what: string, quick = false): Fault {
  return {
    name: `dns-${behaviour.toLowerCase()}`,
    kind: 'dns',
    what,
    needs: 'loopback',
    quick,
    bars: { gapMs: 1000, duplicates: false },
    async run(scene) {
      scene.mark('hit', ['dns'], `dns: ${behaviour}`)
      scene.sites.dns(behaviour)
      await scene.hold(DOWN_MS)
      scene.sites.heal()
      scene.mark('heal', ['dns'], 'right again')
    },
  }
}

export const siteFaults: readonly Fault[] = [
  site('hangs-at-dot', 'one destination never answers every third final dot', { hangEvery: 3 }, true, true),
  site(
    'drops-at-dot',
    'one destination drops every third connection at the final dot, and takes nothing',
    { dropEvery: 3 },
    true,
  ),
  site(
    'drops-and-takes',
    'one destination drops every third connection at the final dot, but has taken the message',
    { dropEvery: 3, dropTakes: true },
    true,
  ),
  site(
    'refuses-for-now',
    'one destination answers 451 to every second recipient',
    { tempfailRecipientEvery: 2 },
    false,
  ),
  site('busy', 'one destination answers 451 to every second final dot', { tempfailEvery: 2 }, false),
  site('mute', 'one destination takes connections and never says a word', { silent: true }, false),
]

export const dnsFaults: readonly Fault[] = [
  dns('silent', 'no name server answers', true),
  dns('SERVFAIL', 'the name server answers SERVFAIL to every question'),
  dns('lies', 'the name server names hosts that do not exist, and addresses where nobody listens'),
]
