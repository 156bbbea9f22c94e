import type { Asked } from './api'

/** Why a file is not even sent. */
export type Refusal = 'empty' | 'too many' | 'too large' | 'twice' | 'unreadable'

interface Sized {
  name: string
  size: number
}

/** Those that go into what the link allows, beside what is there; the others with the reason. In their order. */
export function fitting<One extends Sized>(
  asked: Pick<Asked, 'most_files' | 'most_bytes'>,
  there: readonly Sized[],
  picked: readonly One[],
): { fit: One[]; refused: { name: string; why: Refusal }[] } {
  const fit: One[] = []
  const refused: { name: string; why: Refusal }[] = []
  let bytes = there.reduce((sum, { size }) => sum + size, 0)
  for (const one of picked) {
    const why = reason(one)
    if (why === null) {
      fit.push(one)
      bytes += one.size
    } else refused.push({ name: one.name, why })
  }
  return { fit, refused }

  function reason({ name, size }: Sized): Refusal | null {
    if (size === 0) return 'empty'
    if ([...there, ...fit].some((other) => other.name === name && other.size === size)) return 'twice'
    if (there.length + fit.length >= asked.most_files) return 'too many'
    return bytes + size > asked.most_bytes ? 'too large' : null
  }
}
