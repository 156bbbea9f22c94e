/** Quiet hours, by the clock on the wall where the person is: 18:00 to 8:30 runs over midnight. */
export interface Quiet {
  on: boolean
  /** As a time field has them: `HH:MM`. */
  from: string
  until: string
  /** Saturday and Sunday all day. */
  weekends: boolean
}

export function isQuiet({ on, from, until, weekends }: Quiet, now: Date): boolean {
  if (!on) return false
  if (weekends && (now.getDay() === 0 || now.getDay() === 6)) return true
  const [begin, end] = [minutes(from), minutes(until)]
  if (begin === null || end === null || begin === end) return false
  const at = now.getHours() * 60 + now.getMinutes()
  return begin < end ? at >= begin && at < end : at >= begin || at < end
}

function minutes(time: string): number | null {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time)
  return match === null ? null : Number(match[1]) * 60 + Number(match[2])
}
