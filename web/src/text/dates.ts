/** Dates as a town hall writes them on screen: 11月22日(日), 9:31. */

import type { Language } from './words.svelte'

const locale: Record<Language, string> = { ja: 'ja-JP', en: 'en-GB' }
const formats = new Map<string, Intl.DateTimeFormat>()

function format(language: Language, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${name}`
  let made = formats.get(key)
  if (made === undefined) formats.set(key, (made = new Intl.DateTimeFormat(locale[language], options)))
  return made
}

export function time(at: number, language: Language): string {
  return format(language, 'time', { hour: 'numeric', minute: '2-digit' }).format(at)
}

/** With the year when it is not this one. */
export function day(at: number, language: Language, now = Date.now()): string {
  const year = new Date(at).getFullYear() !== new Date(now).getFullYear()
  return format(language, year ? 'year' : 'day', {
    ...(year ? { year: 'numeric' } : {}),
    month: language === 'ja' ? 'long' : 'short',
    day: 'numeric',
    weekday: 'short',
  }).format(at)
}

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

/** For a list: today the time, then 昨日, then the day without its weekday. */
export function short(at: number, language: Language, yesterday: string, now = Date.now()): string {
  if (sameDay(at, now)) return time(at, language)
  const before = new Date(now)
  before.setDate(before.getDate() - 1)
  if (sameDay(at, before.getTime())) return yesterday
  const year = new Date(at).getFullYear() !== new Date(now).getFullYear()
  return format(language, year ? 'short-year' : 'short', {
    ...(year ? { year: 'numeric' } : {}),
    month: language === 'ja' ? 'numeric' : 'short',
    day: 'numeric',
  }).format(at)
}

/** For what is printed and kept: 令和8年11月22日(日) 9:31. */
export function recorded(at: number, language: Language): string {
  const date = format(language, 'recorded', {
    ...(language === 'ja' ? { calendar: 'japanese', era: 'long' as const } : {}),
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    weekday: 'short',
  })
  return `${date.format(at)} ${time(at, language)}`
}

export function dayAndTime(at: number, language: Language, now = Date.now()): string {
  return `${day(at, language, now)} ${time(at, language)}`
}
