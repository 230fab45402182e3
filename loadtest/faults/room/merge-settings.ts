// Settings put over others: what is given replaces, at any depth; a key may also be a path with dots (`timeouts.final`).

export type SettingsTree = Readonly<Record<string, unknown>>

export function mergeSettings(base: SettingsTree, over: SettingsTree): SettingsTree {
  const merged: Record<string, unknown> = { ...base }
  for (const [path, value] of Object.entries(over)) {
    const [key, ...rest] = path.split('.') as [string, ...string[]]
    const below = rest.length === 0 ? value : { [rest.join('.')]: value }
    merged[key] = isTree(below) ? mergeSettings(isTree(merged[key]) ? merged[key] : {}, below) : below
  }
  return merged
}

function isTree(value: unknown): value is SettingsTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
