/** A text of more lines than these is folded, to so many of them as `MessageText` shows. */
const MOST = 24
/** Letters across, about. */
const ACROSS = 44

export function isLong(text: string): boolean {
  if (text.length < MOST) return false
  let lines = 0
  for (const line of text.split('\n')) {
    lines += Math.max(1, Math.ceil(line.length / ACROSS))
    if (lines > MOST) return true
  }
  return false
}
