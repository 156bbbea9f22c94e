/**
 * Captions and before/after marks travel in the message's words, one line a photo, by number (docs/decisions/0028): so
 * they are found, quoted, copied, exported and taken over into notes wherever words are.
 */

export interface Captioned {
  caption: string
  /** 着手前, 着手後, or nothing. */
  mark: string
}

export interface Batch<Photo> {
  text: string
  photos: Photo[]
}

/** Messages of at most `limit` photos, in order. Numbers count on, as somebody counts who lays prints on a table. */
export function batches<Photo extends Captioned>(photos: readonly Photo[], words: string, limit: number): Batch<Photo>[] {
  const all: Batch<Photo>[] = []
  for (let from = 0; from < photos.length || from === 0; from += limit) {
    const some = photos.slice(from, from + limit)
    const lines = some.flatMap(({ caption, mark }, index) => {
      const said = [mark === '' ? '' : `【${mark}】`, caption.replace(/\s+/g, ' ').trim()].join('')
      return said === '' ? [] : [`${from + index + 1}. ${said}`]
    })
    const first = from === 0 ? words.trim() : ''
    all.push({ text: [first, lines.join('\n')].filter(Boolean).join('\n\n'), photos: some })
  }
  return all
}
