import { type Database, openDatabase } from '../protocol/database'
import { newKey } from '../protocol/ids'
import { bestLock } from '../protocol/lock'
import { Problem, Unreachable } from '../protocol/problem'
import { tabRegistry } from '../protocol/sends'
import { Sessions, sessionStore } from '../protocol/session'
import { deviceName } from '../text/device'
import { text } from '../text/words.svelte'
import { Client } from './client.svelte'
import { eraseDevice, forgetLate, unsentOnDevice } from './erase'
import { Notifying } from './notifying.svelte'
import { route } from './route.svelte'
import { load, save } from './stored'

const ORGANIZATION = 'renraku.organization'
/** What a refresh is answered when the device was signed out while it was away (or its token stolen), and when the
 * person was disabled. */
const REVOKED = [1005, 6009]

/** What a barred device has to ask and to clear. */
export interface Barred {
  base: string
  sessions: Sessions
  database: Promise<Database>
  unsent: number
}

type Signal = 'signed-in' | 'signed-out'

/** The page as a whole: who is signed in, and the client that lives as long as they are. */
export class App {
  /** `barred`: signed in, on a device that may only ask how it stands. */
  phase = $state<'starting' | 'signed-out' | 'signed-in' | 'barred'>('starting')
  client = $state.raw<Client | null>(null)
  notifying = $state.raw<Notifying | null>(null)
  barred = $state.raw<Barred | null>(null)
  /** Why there is no session, or why signing in did not work. */
  message = $state('')
  /** What was done when the person before left. */
  notice = $state('')
  working = $state(false)
  readonly #database: Promise<Database>
  readonly #sessions: Sessions
  readonly #base = location.origin
  readonly #tab = newKey()
  readonly #living = tabRegistry(this.#tab)
  readonly #tabs = new BroadcastChannel('renraku')

  constructor() {
    this.#database = openDatabase()
    this.#sessions = new Sessions({
      base: this.#base,
      store: sessionStore(this.#database),
      lock: bestLock(this.#database),
      ended: (problem) => {
        // Expired: the same person comes back to what waits. Signed out from elsewhere, or disabled: nothing may stay.
        if (problem !== null && REVOKED.includes(problem.code)) void this.#refused(problem, true)
        else this.#leave(problem === null ? text.words.signIn.ended : text.problem(problem))
      },
    })
    this.#tabs.onmessage = ({ data }: MessageEvent<Signal>) => void this.#heard(data)
    addEventListener('online', () => this.client?.poke())
    addEventListener('offline', () => this.client?.connection.network(false))
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.client?.poke()
    })
  }

  async start(): Promise<void> {
    if (await this.#sessions.restore().catch(() => false)) this.#enter()
    else this.phase = 'signed-out'
  }

  /** The organization is typed once per device; it is no secret. */
  get lastOrganization(): string {
    return load(ORGANIZATION) ?? ''
  }

  async signIn(organization: string, login: string, password: string): Promise<void> {
    this.message = ''
    this.notice = ''
    if (organization.trim() === '' || login.trim() === '' || password === '') {
      this.message = text.words.signIn.missing
      return
    }
    this.working = true
    try {
      let step = await this.#sessions.begin(organization.trim(), login.trim(), deviceName(navigator.userAgent, text.words.signIn.browser))
      if (step.next.includes('password') && step.flow !== null) step = await this.#sessions.password(step.flow, password)
      if (!step.signedIn) {
        this.message = text.words.signIn.unknownStep
        return
      }
      save(ORGANIZATION, organization.trim())
      this.#tabs.postMessage('signed-in' satisfies Signal)
      this.#enter()
    } catch (error) {
      this.message =
        error instanceof Problem
          ? text.problem(error)
          : error instanceof Unreachable
            ? text.words.signIn.unreachable
            : text.words.signIn.unreadable
    } finally {
      this.working = false
    }
  }

  /**
   * `switching`: the next person sits down at this computer. `message`: why, where it was not the person's own wish.
   * Nothing of the one before stays in any case.
   */
  async signOut({ switching = false, message = '' } = {}): Promise<void> {
    this.#leave(message)
    // First of all: a page that is closed now leaves no session to whoever sits down next.
    const ended = this.#sessions.signOut()
    await eraseDevice(this.#database)
    if (switching) this.notice = text.words.signIn.switched
    this.#tabs.postMessage('signed-out' satisfies Signal)
    await ended
  }

  #enter(): void {
    const { user } = this.#sessions
    if (user === null || this.client !== null) return
    this.message = ''
    this.client = new Client({
      base: this.#base,
      sessions: this.#sessions,
      user,
      database: this.#database,
      tab: this.#tab,
      tabs: this.#living,
      ended: (problem, erase, barred) => void (barred ? this.#bar() : this.#refused(problem, erase)),
    })
    this.client.start()
    this.notifying = new Notifying(this.client)
    this.phase = 'signed-in'
  }

  /** The server wants nothing of this device any more. What that destroyed is said: nobody else knows of it. */
  async #refused(problem: Problem | null, erase: boolean): Promise<void> {
    const said = problem === null ? text.words.connection.signedOut : text.problem(problem)
    const unsent = this.client?.sending.count ?? 0
    this.#leave(said)
    void this.#sessions.forget()
    if (!erase) return
    const lost = Math.max(unsent, await unsentOnDevice(this.#database))
    await eraseDevice(this.#database)
    if (lost > 0 && this.client === null) this.message = `${said}${text.words.signIn.destroyed(lost)}`
  }

  #bar(): void {
    const unsent = this.client?.sending.count ?? 0
    this.#leave('')
    this.barred = { base: this.#base, sessions: this.#sessions, database: this.#database, unsent }
    this.phase = 'barred'
  }

  /** The device may do everything again; or, with a message, nothing at all. */
  unbar(message: string | null): void {
    this.barred = null
    this.phase = 'signed-out'
    if (message === null) this.#enter()
    else {
      this.message = message
      this.#tabs.postMessage('signed-out' satisfies Signal)
      void this.#sessions.forget()
    }
  }

  #leave(message: string): void {
    this.notifying?.stop()
    this.notifying = null
    this.client?.stop()
    this.client = null
    this.barred = null
    this.message = message
    this.phase = 'signed-out'
    route.leave()
  }

  async #heard(signal: Signal): Promise<void> {
    if (signal === 'signed-out' && this.client !== null) {
      const { user } = this.client
      this.#leave('')
      // A timer of this tab may have written between the wipe of the other one and its word.
      await Promise.all([forgetLate(user), this.#sessions.forget()])
    } else if (signal === 'signed-in' && this.client === null && (await this.#sessions.restore())) {
      this.#enter()
    }
  }
}

export const app = new App()
