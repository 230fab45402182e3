/** The webhooks of the settings: their secrets and authorities are read here, and complaints name the setting. */
import { readFileSync } from 'node:fs'
import { StartError } from '@posthouse/runtime/start-error'
import type { AdminSettings } from '../settings.ts'
import { createPoster } from './post.ts'
import type { PosterOptions } from './post.ts'
import { Webhook } from './webhook.ts'
import type { WebhookOptions } from './webhook.ts'

const SHORTEST_SECRET = 16

/** Throws a StartError. */
export function openWebhooks(
  { webhooks, webhookLimits, webhookRetry }: Pick<AdminSettings, 'webhooks' | 'webhookLimits' | 'webhookRetry'>,
  shared: Omit<WebhookOptions, 'name' | 'host' | 'secret' | 'types' | 'limits' | 'poster'>,
): { readonly webhooks: readonly Webhook[]; close(): void } {
  const { timeout, requests, eventsPerRequest } = webhookLimits
  const made = webhooks.map(({ name, url, secretFile, caFile, events: types }, index) => {
    const secret = read(`webhooks[${index}].secretFile`, secretFile).replace(/\r?\n$/, '')
    if (secret.length < SHORTEST_SECRET)
      throw new StartError(`webhooks[${index}].secretFile`, `has less than ${SHORTEST_SECRET} characters`)
    const ca = caFile === undefined ? undefined : read(`webhooks[${index}].caFile`, caFile)
    const poster = posterOf(`webhooks[${index}]`, { url, ca, timeout, connections: requests })
    const limits = { ...webhookRetry, requests, eventsPerRequest }
    const { host } = new URL(url)
    return { poster, webhook: new Webhook({ ...shared, name, host, secret, types, limits, poster }) }
  })
  return {
    webhooks: made.map(({ webhook }) => webhook),
    close: () => made.forEach(({ poster }) => poster.close()),
  }
}

function posterOf(path: string, options: PosterOptions): ReturnType<typeof createPoster> {
  try {
    return createPoster(options)
  } catch (error) {
    throw new StartError(`${path}.caFile`, (error as Error).message, { cause: error })
  }
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartError(setting, (error as Error).message, { cause: error })
  }
}
