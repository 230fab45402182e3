// One line typed at a terminal that does not show it.
import type { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Input } from './world.ts'

const END = { enter: ['\r', '\n'], giveUp: ['\x03', '\x04'], backspace: ['\x7f', '\b'], wholeLine: '\x15' } as const

/** Undefined if the person gave up (Ctrl-C, Ctrl-D). What is typed ahead stays for the next question. */
export function typedInSecret(input: Input, prompt: Writable, question: string): Promise<string | undefined> {
  prompt.write(question)
  input.setRawMode?.(true)
  const decoder = new StringDecoder('utf8')
  let line: string[] = []
  return new Promise((resolve) => {
    const finish = (result: string | undefined, rest = '') => {
      input.off('data', hear)
      input.off('end', giveUp)
      input.pause()
      input.setRawMode?.(false)
      prompt.write('\n')
      if (rest !== '') input.unshift(Buffer.from(rest))
      resolve(result)
    }
    const giveUp = () => finish(undefined)
    const hear = (chunk: Uint8Array) => {
      const characters = [...decoder.write(Buffer.from(chunk))]
      for (const [index, character] of characters.entries()) {
        if (isOne(END.enter, character)) return finish(line.join(''), characters.slice(index + 1).join(''))
        if (isOne(END.giveUp, character)) return finish(undefined)
        if (isOne(END.backspace, character)) line.pop()
        else if (character === END.wholeLine) line = []
        else line.push(character)
      }
    }
    input.on('data', hear)
    input.once('end', giveUp)
    input.resume()
  })
}

function isOne(list: readonly string[], character: string): boolean {
  return list.includes(character)
}
