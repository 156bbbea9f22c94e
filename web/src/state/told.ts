import { Problem, UNEXPECTED, Unreachable } from '../protocol/problem'
import { text } from '../text/words.svelte'

/** Why something did not work, for a person: the server's own sentence, or `unreachable` where it did not answer. */
export function told(error: unknown, unreachable: string): string {
  if (error instanceof Problem) return text.problem(error)
  return error instanceof Unreachable ? unreachable : text.problem(UNEXPECTED)
}
