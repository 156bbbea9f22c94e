/** What a close code asks of the client (docs/protocol.md, section 5), and how long to wait. */

export const CLOSE = {
  restarting: 4000,
  slow: 4001,
  silent: 4002,
  expired: 4003,
  busy: 4004,
  malformed: 4500,
  tooLarge: 4501,
  notAuthenticated: 4502,
  badToken: 4503,
  signedOut: 4504,
  disabled: 4505,
  flood: 4506,
  device: 4507,
} as const

/** What we report for a connection that died without a close frame. */
export const LOST = 1006

export type Verdict =
  /** Reconnect after `delay` milliseconds; `refresh`: with a new access token. */
  | { then: 'reconnect'; delay: number; refresh: boolean }
  /** The token was refused: sign in again, unless a refresh helps. */
  | { then: 'sign-in' }
  /** This device may hold nothing any more. */
  | { then: 'erase' }
  /** A bug or a limit: the same would happen again. */
  | { then: 'stop' }

const FIRST = 1_000
const LONGEST = 30_000

/** 1 s, doubling to 30 s; half of it fixed and half of it random, so that a thousand clients do not return at once. */
export function backOff(attempt: number, random: () => number): number {
  const whole = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10))
  return whole / 2 + (whole / 2) * random()
}

/** `attempt` counts the failures since a connection last worked, from 0. */
export function verdict(code: number, attempt: number, random: () => number): Verdict {
  if (code === CLOSE.signedOut || code === CLOSE.disabled) return { then: 'erase' }
  if (code === CLOSE.badToken) return { then: 'sign-in' }
  if (code >= 4500 && code <= 4999) return { then: 'stop' }
  const refresh = code === CLOSE.expired
  if (attempt > 0) return { then: 'reconnect', delay: backOff(attempt - 1, random), refresh }
  if (code === CLOSE.restarting) return { then: 'reconnect', delay: 3_000 * random(), refresh }
  if (code === CLOSE.slow || code === CLOSE.silent || code === CLOSE.expired) {
    return { then: 'reconnect', delay: 500 * random(), refresh }
  }
  return { then: 'reconnect', delay: backOff(0, random), refresh }
}
