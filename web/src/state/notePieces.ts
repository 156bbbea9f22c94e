import type { NoteBlock } from '../protocol/noteTypes'
import type { Attachment, AttachmentId } from '../protocol/types'
import { difference, type Step } from '../text/difference'

/** A note cut up as the server merges it: a line of Markdown, or a whole block of another kind. */
export type Piece = { type: 'line'; text: string } | { type: 'block'; block: Exclude<NoteBlock, { type: 'markdown' }>; print: string }

interface Kept {
  blocks: readonly NoteBlock[]
  attachments: readonly Attachment[]
}

/** What became of the note from one version to another: what stayed is left out, but for a line beside what changed. */
export function changes(before: Kept, after: Kept): (Step<Piece> | { kind: 'gap' })[] {
  const steps = difference(pieces(before), pieces(after), keyOf)
  const result: (Step<Piece> | { kind: 'gap' })[] = []
  steps.forEach((step, index) => {
    if (step.kind !== 'same' || isBeside(steps, index)) result.push(step)
    else if (result.at(-1)?.kind !== 'gap') result.push({ kind: 'gap' })
  })
  return result.some(({ kind }) => kind === 'added' || kind === 'removed') ? result : []
}

function isBeside(steps: readonly Step<Piece>[], index: number): boolean {
  return [steps[index - 1], steps[index + 1]].some((step) => step !== undefined && step.kind !== 'same')
}

/** Which blocks of `now` are not as `mine` had them: what others changed while one wrote. */
export function foreign(mine: Kept, now: Kept): Set<number> {
  const known = new Set(mine.blocks.map((block) => printOf(block, mine.attachments)))
  return new Set(now.blocks.flatMap((block, index) => (known.has(printOf(block, now.attachments)) ? [] : [index])))
}

function pieces({ blocks, attachments }: Kept): Piece[] {
  return blocks.flatMap((block): Piece[] =>
    block.type === 'markdown'
      ? block.text.split('\n').map((text) => ({ type: 'line', text }))
      : [{ type: 'block', block, print: printOf(block, attachments) }],
  )
}

const keyOf = (piece: Piece): string => (piece.type === 'line' ? `line ${piece.text}` : piece.print)

/** The same for the same content: the ids of photos change when the note takes copies of them. */
function printOf(block: NoteBlock, attachments: readonly Attachment[]): string {
  const looks = (id: AttachmentId | null) => {
    const one = attachments.find((attachment) => attachment.id === id)
    return one === undefined ? '' : `${one.name} ${one.size} ${one.color}`
  }
  switch (block.type) {
    case 'markdown':
      return `markdown ${block.text.replace(/^\n+/, '').trimEnd()}`
    case 'entry':
      return `entry ${block.id} ${block.struck ?? ''}`
    case 'pair':
      return JSON.stringify([looks(block.before), looks(block.after), block.before_caption.trim(), block.after_caption.trim()])
    default:
      return JSON.stringify([block.type, ...block.ids.map(looks)])
  }
}
