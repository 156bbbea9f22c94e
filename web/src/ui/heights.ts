import type { Row } from './rows'

/** In lines of the text's size, as MessageRow lays them out. */
const LINE = 1.65
const HEAD = 1.5
const QUOTE = 3.4
const MEASURE = 44
/** In pixels. */
const PADDING = 11
const CONTINUED = 6
const TILE = 48
const PHOTOS = 150
const PHOTO = 290
const FILE = 62
const REACTIONS = 36
/** A fold of a long text, see MessageText. */
const MOST_LINES = 21

/** How much one row counts in what is learnt of those to come. */
const LEARN = 0.1

const sort = (row: Row): 0 | 1 => (row.type === 'message' && row.continued ? 1 : 0)

/** How tall each row is: as it was measured, or guessed until it is. */
export class Heights {
  #measured = new Map<string, { height: number; kind: 0 | 1 }>()
  width = 800
  /** Of the text, in pixels. */
  size = 15

  /** How far guesses were off of late: of rows with a name, and of those that go on. */
  #off = [0, 0]

  of(row: Row): number {
    const known = this.#measured.get(row.key)
    if (known === undefined) return this.#guess(row) + (row.type === 'message' ? this.#off[sort(row)]! : 0)
    if (row.type !== 'message' || known.kind === sort(row)) return known.height
    // It stood first when it was measured, and older ones came meanwhile: the author's line is gone, the rest is as it was.
    return known.height + this.#guess(row) - this.#guess({ ...row, continued: !row.continued })
  }

  set(row: Row, height: number): void {
    if (!this.#measured.has(row.key) && row.type === 'message') {
      const kind = sort(row)
      this.#off[kind]! += (height - this.#guess(row) - this.#off[kind]!) * LEARN
    }
    this.#measured.set(row.key, { height, kind: sort(row) })
  }

  #guess(row: Row): number {
    return guess(row, this.width, this.size)
  }

  /** Of rows that were let go. */
  keepOnly(rows: readonly Row[]): void {
    if (this.#measured.size <= rows.length * 2) return
    const keys = new Set(rows.map(({ key }) => key))
    for (const key of this.#measured.keys()) if (!keys.has(key)) this.#measured.delete(key)
  }
}

function guess(row: Row, width: number, size: number): number {
  if (row.type !== 'message') return 41
  const { message, continued } = row
  if (message.kind === 'system') return 30
  const across = Math.max(10, Math.floor(Math.min((width - TILE) / size, MEASURE)))
  const said = message.redacted === undefined ? (message.text ?? '') : ' '
  const lines = said === '' ? 0 : said.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / across)), 0)
  const attached = message.attachments ?? []
  const photos = attached.filter(({ kind }) => kind === 'photo').length
  return (
    (continued ? CONTINUED : PADDING + HEAD * size) +
    Math.min(lines, MOST_LINES) * LINE * size +
    (message.quote === undefined ? 0 : QUOTE * size) +
    (photos === 0 ? 0 : photos === 1 ? PHOTO : Math.ceil(photos / 3) * PHOTOS) +
    (attached.length - photos) * FILE +
    (message.reactions === undefined ? 0 : REACTIONS)
  )
}
