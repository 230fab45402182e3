// Reads from a bounce (RFC 3464) which recipients it reports, so that the ledger can close their accounts, and which one it is.

const FINAL_RECIPIENT = /^(?:Original|Final)-Recipient:[ \t]*rfc822[ \t]*;[ \t]*<?([^\s<>]+)>?[ \t]*\r?$/gim

/** The addresses as they were sent, each once; [''] when the report names none, so that it is seen all the same. */
export function bouncedRecipients(content: Buffer): string[] {
  // One recipient may be named twice, as it was given and as it was rewritten: a group of fields is one recipient.
  const reported = new Set<string>()
  for (const group of content.toString('latin1').split(/\r?\n\r?\n/)) {
    const names = [...group.matchAll(FINAL_RECIPIENT)].map((match) => ({
      original: match[0].startsWith('O'),
      name: match[1] ?? '',
    }))
    const best = names.find((entry) => entry.original) ?? names[0]
    if (best !== undefined) reported.add(best.name)
  }
  return reported.size === 0 ? [''] : [...reported]
}

/** The queue id of the bounce itself: the relay that makes it names its Message-ID after it. */
export function queueIdOfBounce(content: Buffer): string | undefined {
  const end = content.indexOf('\r\n\r\n')
  return /^Message-ID:[ \t]*<([^@>\s]+)@/im.exec(content.toString('latin1', 0, end < 0 ? content.length : end))?.[1]
}
