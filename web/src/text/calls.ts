import { type Labels, readable } from './mentions'
import { text } from './words.svelte'

/** A message's words as one reads them, and which names stand in them. `names`: as the server gives them beside it. */
export function read(words: string, names: Readonly<Record<string, string>>): { text: string; labels: Labels } {
  const { san, everyone } = text.words.timeline
  return readable(words, names, (meant, name) => (meant.startsWith('user:') ? san(name) : `@${meant === 'everyone' ? everyone : name}`))
}
