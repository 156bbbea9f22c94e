/** What a file looks like from outside, and whether it can still be read. */

export type Picked = Blob & { name: string; lastModified?: number }

/** False when it was moved, changed or removed since it was picked. */
export async function readable(blob: Blob | null): Promise<boolean> {
  try {
    await blob?.slice(0, 1).arrayBuffer()
    return blob !== null
  } catch {
    return false
  }
}

const PIECE = 16 * 1024

/**
 * Tells whether a file that is picked again is the same: name, size, time of change, and a sum over three pieces of it.
 * Not proof against malice (one could only spoil one's own file), but two drawings of the same length stay apart.
 */
export async function printOf(file: Picked): Promise<string> {
  let sum = 0
  for (const start of [0, Math.floor(file.size / 2), Math.max(0, file.size - PIECE)]) {
    for (const byte of new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer())) {
      sum = (sum * 31 + byte) % 2_147_483_629
    }
  }
  return `${file.name.normalize('NFC')} ${file.size} ${file.lastModified ?? 0} ${sum}`
}
