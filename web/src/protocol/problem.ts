import type { ProblemBody } from './types'

/** A numbered error of the server (docs/errors.md). The range of its code says what to do. */
export class Problem extends Error {
  readonly code: number
  readonly field: string | null
  readonly params: Record<string, unknown>
  readonly ja: string
  readonly en: string

  constructor(body: ProblemBody) {
    super(`${body.code} ${body.name}`)
    this.name = 'Problem'
    this.code = body.code
    this.field = body.field ?? null
    this.params = body.params ?? {}
    this.ja = body.ja
    this.en = body.en
  }

  /** 1000–1999: sign in, or refresh the session. */
  get wantsSignIn(): boolean {
    return this.code >= 1000 && this.code < 2000
  }

  /** 8000–8999: the same request may succeed later, and its idempotency key makes that safe. */
  get passes(): boolean {
    return this.code >= 8000 && this.code < 9000
  }

  /** Not there, or not for this person (any more): both answer the same. */
  get isGone(): boolean {
    return this.code === 2007 || this.code === 3001
  }

  /** Milliseconds the server asks us to wait; undefined when it named none. */
  get retryAfter(): number | undefined {
    const seconds = this.params['retry_after']
    return typeof seconds === 'number' && seconds >= 0 ? seconds * 1000 : undefined
  }
}

/** The connection or the network went away: nobody knows whether the request arrived. */
export class Unreachable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'Unreachable'
  }
}

/** The server answered something this protocol does not know (a proxy's page, a truncated body). */
export class Unintelligible extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'Unintelligible'
  }
}

/** There is no session (any more). `problem` is what the server said, if it did. */
export class SignedOut extends Error {
  readonly problem: Problem | null

  constructor(problem: Problem | null = null) {
    super('signed out')
    this.name = 'SignedOut'
    this.problem = problem
  }
}

/** What a person is told of an answer that is `Unintelligible`. */
export const UNEXPECTED = {
  code: 9000,
  field: null,
  ja: 'サーバーの応答を読み取れませんでした。もう一度お試しください。続くときは管理者にお知らせください。',
  en: 'The answer of the server could not be read. Try again, and tell your administrator if it goes on.',
}

export function isProblemBody(value: unknown): value is ProblemBody {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as ProblemBody).code === 'number' &&
    typeof (value as ProblemBody).ja === 'string' &&
    typeof (value as ProblemBody).en === 'string'
  )
}
