// The command line of a service: --config FILE, --print-settings, --help. Everything else is a setting.

export type Command =
  | { readonly kind: 'run' | 'print-settings'; readonly config: string | undefined }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly reason: string }

export function parseCommandLine(args: readonly string[]): Command {
  let config: string | undefined
  let kind: 'run' | 'print-settings' = 'run'
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--help' || arg === '-h') return { kind: 'help' }
    if (arg === '--print-settings') kind = 'print-settings'
    else if (arg === '--config') {
      config = args[++i]
      if (config === undefined) return { kind: 'wrong', reason: '--config needs the name of a file' }
    } else if (arg.startsWith('--config=')) config = arg.slice('--config='.length)
    else return { kind: 'wrong', reason: `${arg}: no such option; --help tells them all` }
  }
  return { kind, config }
}
