import type { AttachmentAddress } from '../protocol/types'
import { dayAndTime, sameDay, time } from '../text/dates'
import type { Language } from '../text/words.svelte'
import type { Words } from '../text/ja'

/** Four decimals are about ten metres: enough to find the spot, short enough to read. */
const DECIMALS = 4

/**
 * When and where the photos of a message sent at `sent` were taken, as far as this reader may know. With the day where
 * one is of another day than the message: a photo of last week must not pass for one of this morning.
 */
export function albumFacts(
  addresses: AttachmentAddress[],
  count: number,
  sent: number,
  words: Words,
  language: Language,
): string[] {
  const place = addresses.find((address) => address.place !== undefined)?.place
  return [
    taken(addresses, sent, words, language),
    count > 1 ? words.photo.count(count) : '',
    place === undefined
      ? ''
      : words.photo.place(place.latitude.toFixed(DECIMALS), place.longitude.toFixed(DECIMALS)),
  ].filter(Boolean)
}

function taken(addresses: AttachmentAddress[], sent: number, words: Words, language: Language): string {
  const times = addresses.flatMap(({ taken_at }) => (taken_at === undefined ? [] : [taken_at]))
  if (times.length === 0) return ''
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const first = (sameDay(from, sent) && sameDay(to, sent) ? time : dayAndTime)(from, language)
  const last = (sameDay(from, to) ? time : dayAndTime)(to, language)
  const once = sameDay(from, to) && time(from, language) === last
  return words.photo.taken(once ? first : `${first}–${last}`)
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
