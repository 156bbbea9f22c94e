/** Days as a date field has them, on this device's clock. A last day still counts: its end is the next day's beginning. */

export function beginOf(day: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)
  return match === null ? null : new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3])).getTime()
}

export function endOf(day: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)
  return match === null ? null : new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + 1).getTime()
}

/** The day on which something was still true that ends at `end`. */
export function lastDay(end: number): string {
  const at = new Date(end - 1)
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}
