/** What became of a sequence: the shortest way from one to the other, as far as it can be had in bounded time. */

export interface Step<T> {
  kind: 'same' | 'added' | 'removed'
  item: T
}

/** Beyond so many pairs, what lies between the common ends counts as replaced as a whole. */
const PAIRS = 2_000_000

export function difference<T>(before: readonly T[], after: readonly T[], keyOf: (item: T) => string): Step<T>[] {
  const [a, b] = [before.map(keyOf), after.map(keyOf)]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  const same = (items: readonly T[]) => items.map((item): Step<T> => ({ kind: 'same', item }))
  return [
    ...same(after.slice(0, head)),
    ...between(
      before.slice(head, before.length - tail),
      after.slice(head, after.length - tail),
      a.slice(head, a.length - tail),
      b.slice(head, b.length - tail),
    ),
    ...same(after.slice(after.length - tail)),
  ]
}

function between<T>(before: readonly T[], after: readonly T[], a: string[], b: string[]): Step<T>[] {
  const removed = (item: T): Step<T> => ({ kind: 'removed', item })
  const added = (item: T): Step<T> => ({ kind: 'added', item })
  if (a.length * b.length > PAIRS) return [...before.map(removed), ...after.map(added)]
  // lengths[i][j]: of the longest common subsequence of a from i and b from j.
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
    }
  }
  const steps: Step<T>[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      steps.push({ kind: 'same', item: after[j]! })
      i += 1
      j += 1
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      steps.push(removed(before[i]!))
      i += 1
    } else {
      steps.push(added(after[j]!))
      j += 1
    }
  }
  return steps
}
