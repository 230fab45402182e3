/**
 * Writes the golden files anew: `node libs/core/golden/write.ts`. Only for a deliberate change of the wire format; the files of
 * versions already released stay beside the new ones, as they must still be readable.
 */
import { writeFile } from 'node:fs/promises'
import { goldenFiles } from './files.ts'

for (const [path, bytes] of goldenFiles()) await writeFile(path, bytes)
