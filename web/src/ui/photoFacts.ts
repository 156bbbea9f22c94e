import type { AttachmentAddress } from '../protocol/types'
import { time } from '../text/dates'
import type { Language } from '../text/words.svelte'
import type { Words } from '../text/ja'

/** Four decimals are about ten metres: enough to find the spot, short enough to read. */
const DECIMALS = 4

/** When and where the photos of a message were taken, as far as this reader may know. */
export function albumFacts(addresses: AttachmentAddress[], count: number, words: Words, language: Language): string[] {
  const times = addresses.flatMap(({ taken_at }) => (taken_at === undefined ? [] : [taken_at])).sort((a, b) => a - b)
  const place = addresses.find((address) => address.place !== undefined)?.place
  const first = times[0] === undefined ? '' : time(times[0], language)
  const last = times.length < 2 ? first : time(times.at(-1)!, language)
  return [
    first === '' ? '' : words.photo.taken(first === last ? first : `${first}–${last}`),
    count > 1 ? words.photo.count(count) : '',
    place === undefined
      ? ''
      : words.photo.place(place.latitude.toFixed(DECIMALS), place.longitude.toFixed(DECIMALS)),
  ].filter(Boolean)
}

interface Line {
  effectiveType?: string
  saveData?: boolean
}

/** A fine screen on a line that is not known to be weak. */
export function affordsSharpness(): boolean {
  const line = (navigator as Navigator & { connection?: Line }).connection
  return devicePixelRatio > 1.25 && line?.saveData !== true && (line?.effectiveType ?? '4g') === '4g'
}
