/** What the table of settings cannot say: each complaint one line that begins with the setting's path. */
import { eventTypes } from '@posthouse/core/event'
import { queueRules } from '@posthouse/runtime/settings/queue-options'
import type { AdminSettings } from './settings.ts'

export function settingsRules(settings: AdminSettings): string[] {
  const { webhooks, webhookRetry, events } = settings
  const wrong = queueRules(settings)
  if (webhookRetry.first > webhookRetry.longest)
    wrong.push('webhookRetry.first: must not be longer than webhookRetry.longest')
  if (webhookRetry.giveUpAfter > events.keep)
    wrong.push('webhookRetry.giveUpAfter: must not be longer than events.keep, when the index forgets the event')
  const names = new Map<string, number>()
  for (const [index, { name, url, events: types }] of webhooks.entries()) {
    const path = `webhooks[${index}]`
    const first = names.get(name)
    if (first === undefined) names.set(name, index)
    else wrong.push(`${path}.name: ${name} is webhooks[${first}]`)
    const { username, password, hash } = new URL(url)
    // Not repeated here: the complaint goes to the log of whoever started the process.
    if (username !== '' || password !== '') wrong.push(`${path}.url: must not have a user and a password`)
    if (hash !== '') wrong.push(`${path}.url: must not have a fragment (#)`)
    for (const type of types)
      if (!(eventTypes as readonly string[]).includes(type))
        wrong.push(`${path}.events: ${JSON.stringify(type)} is none of ${eventTypes.join(', ')}`)
  }
  return wrong
}
