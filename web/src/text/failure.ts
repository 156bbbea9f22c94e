import { Problem, UNEXPECTED, Unreachable } from '../protocol/problem'
import { text } from './words.svelte'

/** What a person is told of a call that failed; `unreachable`: where the line did, and what to do then. */
export function failure(error: unknown, unreachable: string): string {
  if (error instanceof Unreachable) return unreachable
  return text.problem(error instanceof Problem ? error : UNEXPECTED)
}
