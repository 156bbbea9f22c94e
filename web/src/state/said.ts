import { Problem } from '../protocol/problem'
import { text } from '../text/words.svelte'
import { roomActs } from '../text/words/roomActs'

/** What a person is told when something they asked for was not done. */
export function why(error: unknown): string {
  return error instanceof Problem ? text.problem(error) : text.of(roomActs).unreachable
}
