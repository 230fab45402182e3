/** The golden files by path: hexadecimal for bytes, one line of text for headers. */
import { join } from 'node:path'
import { encodeAccepted } from '../accepted-codec.ts'
import { encodeBatch } from '../batch-codec.ts'
import { encodeEntry } from '../entry-codec.ts'
import { encodeLease } from '../lease-codec.ts'
import { acceptedMessages, entry, fullRecord, lease, smallRecord, toldEntry } from './samples.ts'

export const goldenPath = (name: string) => join(import.meta.dirname, name)

export function goldenFiles(): Map<string, string> {
  return new Map([
    [goldenPath('batch.v1.hex'), wrap(encodeBatch([smallRecord, fullRecord]).toString('hex'))],
    [goldenPath('lease.v1.txt'), encodeLease(lease).toString() + '\n'],
    [goldenPath('entry.v1.txt'), encodeEntry(entry) + '\n'],
    [goldenPath('entry.v1.told.txt'), encodeEntry(toldEntry) + '\n'],
    [goldenPath('accepted.v1.txt'), encodeAccepted(acceptedMessages) + '\n'],
  ])
}

const wrap = (hex: string) => hex.replace(/.{1,100}/g, '$&\n')
