/**
 * What a message says of its photos: one line a photo, by number, with a mark where it is from before or after the work
 * (docs/decisions/0028: 「1. 【着手前】倒木の全景」).
 */

export interface Said {
  /** 着手前 or 着手後, in the writer's language; empty where it has none. */
  mark: string
  caption: string
}

const LINE = /^(\d{1,3})\. (?:【(着手前|着手後|Before|After)】)?(.*)$/

/** For each of `count` photos. A message that goes on counting from the one before begins at its first number's ten. */
export function saidOf(text: string, count: number): Said[] {
  const result: Said[] = Array.from({ length: count }, () => ({ mark: '', caption: '' }))
  const found = text.split('\n').map((line) => LINE.exec(line)).filter((match) => match !== null)
  // Numbered words without any mark may be anything: a list of who comes, an order of the day.
  if (!found.some((match) => match[2] !== undefined)) return result
  const first = Number(found[0]![1])
  const from = first - ((first - 1) % 10)
  for (const [, number, mark = '', caption = ''] of found) {
    const at = Number(number) - from
    if (at >= 0 && at < count) result[at] = { mark, caption: caption.trim() }
  }
  return result
}
