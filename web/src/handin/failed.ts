import { Problem, UNEXPECTED, Unreachable } from '../protocol/problem'
import { say } from './language.svelte'

/** What is said of a call that failed. */
export function failed(error: unknown): string {
  if (error instanceof Unreachable) return say.words.unreachable
  return say.told(error instanceof Problem ? error : UNEXPECTED)
}
