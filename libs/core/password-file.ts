/**
 * What a password file holds: the password itself, as a secret that is shared with the program that logs in. One line, whose
 * newline at the end is not part of it, because editors and `echo` put one there and it cannot be seen. A short one is
 * refused: such a password was made by a machine, and one that is short is a mistake or a placeholder.
 */

/** Characters. */
const shortest = 12
/** Bytes; as `posthouse user` takes them. */
const longest = 1024

/** Returns the password, or what is wrong with it, in words that show nothing of it. */
export function passwordInFile(bytes: Uint8Array): { readonly password: string } | { readonly invalid: string } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { invalid: 'the password is not UTF-8' }
  }
  const password = text.replace(/\r?\n$/, '')
  if (password === '') return { invalid: 'the password is empty' }
  if (Buffer.byteLength(password) > longest) return { invalid: `the password is longer than ${longest} bytes` }
  if (/[\x00-\x1f\x7f]/.test(password))
    return { invalid: 'the password is more than one line, or has control characters' }
  if ([...password].length < shortest) return { invalid: `the password is shorter than ${shortest} characters` }
  return { password }
}
