/** Sizes and times left, short and round: nobody reads 524,288,000. */

import type { Words } from './ja'
import type { Language } from './words.svelte'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** 1 KB is 1,024 bytes, as the file managers of office computers count. */
export function size(bytes: number, language: Language): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${UNITS[unit]}`
}

/** Rounded up and coarse: a number that jumps about is worse than none. */
export function timeLeft(milliseconds: number, words: { file: Pick<Words['file'], 'soon' | 'seconds' | 'minutes' | 'hours'> }): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return words.file.soon
  if (seconds < 60) return words.file.seconds(Math.ceil(seconds / 10) * 10)
  if (seconds < 3600) return words.file.minutes(Math.ceil(seconds / 60))
  return words.file.hours(Math.floor(seconds / 3600), Math.ceil((seconds % 3600) / 600) * 10)
}
