// The version this tree is, from its package.json.
import manifest from './package.json' with { type: 'json' }

export const version: string = manifest.version
