import type { Database } from './database'
import { call, type Fetch } from './http'
import { newKey } from './ids'
import type { Lock } from './lock'
import { Problem, SignedOut } from './problem'
import type { Session, SignInStep } from './types'

/** The session as a device keeps it. */
export interface Held extends Session {
  /** The server's clock minus ours, in milliseconds, when the session was given. */
  skew: number
  /** The Idempotency-Key of a refresh whose answer has not come: a repetition must carry the same one. */
  refreshing?: string
  /** Unsent items that were cleared with everything else, until the server has heard of it. */
  cleared?: number
}

export { SignedOut }

/** The person may not sign in any more; asking again changes nothing. */
const DISABLED = 6009

export interface SessionStore {
  load(): Promise<Held | undefined>
  save(held: Held): Promise<void>
  clear(): Promise<void>
}

export function sessionStore(database: Promise<Database>): SessionStore {
  return {
    load: async () => (await database).get('session', 'current'),
    save: async (held) => void (await (await database).put('session', held, 'current')),
    clear: async () => (await database).delete('session', 'current'),
  }
}

export interface SessionOptions {
  base: string
  store: SessionStore
  lock: Lock
  /** The session ended here and for good: expired, reused, revoked, or signed out in another tab. */
  ended(problem: Problem | null): void
  fetch?: Fetch
}

/** Where a sign-in stands: give what `next` names, until there is a session. */
export interface SignInProgress {
  flow: string | null
  next: string[]
  signedIn: boolean
}

/** The tokens of this device, shared by all tabs. A refresh token works once, so only one tab may use it. */
export class Sessions {
  readonly #base: string
  readonly #store: SessionStore
  readonly #lock: Lock
  readonly #ended: (problem: Problem | null) => void
  readonly #fetch: Fetch
  #held: Held | null = null
  #flight: Promise<Held> | null = null

  constructor(options: SessionOptions) {
    this.#base = options.base
    this.#store = options.store
    this.#lock = options.lock
    this.#ended = options.ended
    this.#fetch = options.fetch ?? ((...call) => fetch(...call))
  }

  get user(): string | null {
    return this.#held?.user ?? null
  }

  /** What an earlier visit or another tab left. */
  async restore(): Promise<boolean> {
    this.#held = (await this.#store.load()) ?? null
    return this.#held !== null
  }

  async begin(organization: string, login: string, deviceName: string): Promise<SignInProgress> {
    return this.#step('/api/sign-in', { organization, login, device_name: deviceName })
  }

  async password(flow: string, password: string): Promise<SignInProgress> {
    return this.#step('/api/sign-in/password', { flow, password })
  }

  /** A token valid for at least `minimum` milliseconds more, if one is at hand. */
  ready(minimum: number): string | null {
    return this.#held !== null && remaining(this.#held) > minimum ? this.#held.access_token : null
  }

  /** The same, brought from the server if need be. Rejects with `SignedOut`, `Problem` or `Unreachable`. */
  async token(minimum: number): Promise<string> {
    const ready = this.ready(minimum)
    if (ready !== null) return ready
    if (this.#held === null) throw new SignedOut()
    return (await this.#refresh((current) => remaining(current) > minimum)).access_token
  }

  /** A token other than `refused`. */
  async replace(refused: string): Promise<string> {
    if (this.#held === null) throw new SignedOut()
    return (await this.#refresh((current) => current.access_token !== refused)).access_token
  }

  /** Tells the server if it can be reached; forgets in any case. */
  async signOut(): Promise<void> {
    const token = this.#held?.access_token
    await this.forget()
    if (token === undefined) return
    await call(this.#base, '/api/me/sign-out', { method: 'POST', body: {}, token, key: newKey() }, this.#fetch).catch(
      () => undefined,
    )
  }

  async forget(): Promise<void> {
    const { user } = this
    this.#held = null
    // A tab that hears late of a sign-out must not end the session of who sat down meanwhile.
    const stored = user === null ? undefined : await this.#store.load()
    if (stored === undefined || stored.user === user) await this.#store.clear()
  }

  async #step(path: string, body: Record<string, string>): Promise<SignInProgress> {
    const reply = await call<SignInStep>(this.#base, path, { method: 'POST', body, key: newKey() }, this.#fetch)
    const { flow, next, session } = reply.body
    if (session !== null) await this.#keep(session, reply.time)
    return { flow, next, signedIn: session !== null }
  }

  /** `enough` decides whether what another tab brought meanwhile will do. */
  #refresh(enough: (held: Held) => boolean): Promise<Held> {
    this.#flight ??= this.#lock('session', () => this.#exchange(enough)).finally(() => {
      this.#flight = null
    })
    return this.#flight
  }

  async #exchange(enough: (held: Held) => boolean): Promise<Held> {
    const stored = await this.#store.load()
    if (stored === undefined) throw this.#end(null)
    // Another tab was faster, or another person signed in there: theirs is the truth.
    if (stored.refresh_token !== this.#held?.refresh_token || stored.access_token !== this.#held.access_token) {
      this.#held = stored
      if (enough(stored)) return stored
    }
    // Kept before it is used: if the answer is lost, the repetition is recognisable as ours.
    const key = stored.refreshing ?? newKey()
    await this.#store.save({ ...stored, refreshing: key })
    try {
      const body = { refresh_token: stored.refresh_token }
      const reply = await call<Session>(
        this.#base,
        '/api/sessions/refresh',
        { method: 'POST', body, key },
        this.#fetch,
      )
      // Signed out while the answer was on its way: it must not bring the session back.
      if ((await this.#store.load())?.refresh_token !== stored.refresh_token) throw this.#end(null)
      return await this.#keep(reply.body, reply.time)
    } catch (error) {
      if (!(error instanceof Problem) || !(error.wantsSignIn || error.code === DISABLED)) throw error
      // Clearing only what was refused: a sign-in may have replaced it meanwhile.
      if ((await this.#store.load())?.refresh_token !== stored.refresh_token) throw error
      await this.#store.clear()
      throw this.#end(error)
    }
  }

  async #keep(session: Session, serverTime: number | null): Promise<Held> {
    const held: Held = { ...session, skew: serverTime === null ? 0 : serverTime - Date.now() }
    this.#held = held
    await this.#store.save(held)
    return held
  }

  #end(problem: Problem | null): SignedOut {
    const first = this.#held !== null
    this.#held = null
    if (first) this.#ended(problem)
    return new SignedOut(problem)
  }
}

/** By the server's clock, because ours may be a day off. */
function remaining(held: Held): number {
  return held.access_expires - (Date.now() + held.skew)
}
