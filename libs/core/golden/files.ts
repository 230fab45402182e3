/** The golden files by path: hexadecimal for bytes, one line of text for headers. */
import { join } from 'node:path'
import { encodeBatch } from '../batch-codec.ts'
import { encodeEntry } from '../entry-codec.ts'
import { encodeLease } from '../lease-codec.ts'
import { entry, fullRecord, lease, smallRecord } from './samples.ts'

export const goldenPath = (name: string) => join(import.meta.dirname, name)

export function goldenFiles(): Map<string, string> {
  return new Map([
    [goldenPath('batch.v1.hex'), wrap(encodeBatch([smallRecord, fullRecord]).toString('hex'))],
    [goldenPath('lease.v1.txt'), encodeLease(lease).toString() + '\n'],
    [goldenPath('entry.v1.txt'), encodeEntry(entry) + '\n'],
  ])
}

const wrap = (hex: string) => hex.replace(/.{1,100}/g, '$&\n')
