// What `posthouse queue …` means in a container that says nothing else: the queue of /etc/posthouse/cli.yaml. The variables
// POSTHOUSE_NATS_… of a container are those of its service, whose NATS user may not read the queue; so they do not count then.

export const CLI_SETTINGS = '/etc/posthouse/cli.yaml'

type Environment = Record<string, string | undefined>

export interface CommandLine {
  readonly args: readonly string[]
  readonly environment: Environment
}

/** `hasSettings`: the file is there. Whoever names a queue (--config, --data) or asks for help gets what was asked for. */
export function inImage(args: readonly string[], environment: Environment, hasSettings: boolean): CommandLine {
  const named = args.some((arg) => /^(--config|--data)(=|$)|^(--help|-h)$/.test(arg))
  if (!hasSettings || args[0] !== 'queue' || args.length < 2 || named) return { args, environment }
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('POSTHOUSE_NATS_'))
  return { args: [...args, '--config', CLI_SETTINGS], environment: Object.fromEntries(others) }
}
