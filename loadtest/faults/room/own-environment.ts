// The environment of a room's programs: this process's, without what would override their settings files.

export function ownEnvironment(further: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(POSTHOUSE_|KUBERNETES_SERVICE_|NODE_TEST_CONTEXT$)/.test(name),
  )
  return { ...Object.fromEntries(kept), ...further }
}
