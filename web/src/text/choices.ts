/** Times that are chosen with one tap: deadlines at the end of a working day, sending at its beginning. */

export interface Choice {
  name: 'hour' | 'today17' | 'tomorrow' | 'tomorrow17' | 'monday' | 'inThreeDays'
  at: number
}

const MINUTE = 60_000
/** What is nearer than this helps nobody. */
const NEAREST = 10 * MINUTE
const MONDAY = 1

function on(now: number, days: number, hour: number, minute = 0): number {
  const day = new Date(now)
  day.setDate(day.getDate() + days)
  return day.setHours(hour, minute, 0, 0)
}

export function deadlines(now = Date.now()): Choice[] {
  const all: Choice[] = [
    { name: 'today17', at: on(now, 0, 17) },
    { name: 'tomorrow17', at: on(now, 1, 17) },
    { name: 'inThreeDays', at: on(now, 3, 17) },
  ]
  return all.filter(({ at }) => at > now + NEAREST)
}

export function sendings(now = Date.now()): Choice[] {
  const toMonday = (MONDAY + 7 - new Date(now).getDay()) % 7 || 7
  const all: Choice[] = [
    // On the whole minute, as everything that a person chooses.
    { name: 'hour', at: Math.ceil((now + 60 * MINUTE) / MINUTE) * MINUTE },
    { name: 'today17', at: on(now, 0, 17) },
    { name: 'tomorrow', at: on(now, 1, 8, 30) },
    ...(toMonday === 1 ? [] : [{ name: 'monday' as const, at: on(now, toMonday, 8, 30) }]),
  ]
  return all.filter(({ at }) => at > now + NEAREST)
}

/** For the date and time fields of the browser, in the time of this place. */
export function fields(at: number): { date: string; time: string } {
  const when = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  return {
    date: `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`,
    time: `${two(when.getHours())}:${two(when.getMinutes())}`,
  }
}

/** null where one of them is missing. */
export function fromFields(date: string, time: string): number | null {
  const at = date === '' || time === '' ? Number.NaN : new Date(`${date}T${time}`).getTime()
  return Number.isNaN(at) ? null : at
}
