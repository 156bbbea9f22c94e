import { type Database, openDatabase } from '../protocol/database'
import { newKey } from '../protocol/ids'
import { bestLock } from '../protocol/lock'
import { Problem, Unreachable } from '../protocol/problem'
import { fileStore, sendStore, tabRegistry } from '../protocol/sends'
import { Sessions, sessionStore } from '../protocol/session'
import { deviceName } from '../text/device'
import { text } from '../text/words.svelte'
import { Client } from './client.svelte'
import { eraseNoteDrafts } from './noteDrafts'
import { draftStore } from './draftStore'
import { route } from './route.svelte'

const ORGANIZATION = 'renraku.organization'

type Signal = 'signed-in' | 'signed-out'

/** The page as a whole: who is signed in, and the client that lives as long as they are. */
export class App {
  phase = $state<'starting' | 'signed-out' | 'signed-in'>('starting')
  client = $state.raw<Client | null>(null)
  /** Why there is no session, or why signing in did not work. */
  message = $state('')
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
      ended: (problem) => this.#leave(problem === null ? text.words.signIn.ended : text.problem(problem)),
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
    return localStorage.getItem(ORGANIZATION) ?? ''
  }

  async signIn(organization: string, login: string, password: string): Promise<void> {
    this.message = ''
    if (organization.trim() === '' || login.trim() === '' || password === '') {
      this.message = text.words.signIn.missing
      return
    }
    this.working = true
    try {
      let step = await this.#sessions.begin(organization.trim(), login.trim(), deviceName(navigator.userAgent))
      if (step.next.includes('password') && step.flow !== null) step = await this.#sessions.password(step.flow, password)
      if (!step.signedIn) {
        this.message = text.words.signIn.unknownStep
        return
      }
      localStorage.setItem(ORGANIZATION, organization.trim())
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

  async signOut(): Promise<void> {
    this.#leave('')
    await this.#erase()
    this.#tabs.postMessage('signed-out' satisfies Signal)
    await this.#sessions.signOut()
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
      ended: (problem, erase) => {
        this.#leave(problem === null ? text.words.connection.signedOut : text.problem(problem))
        void this.#sessions.forget()
        if (erase) void this.#erase()
      },
    })
    this.client.start()
    this.phase = 'signed-in'
  }

  #leave(message: string): void {
    this.client?.stop()
    this.client = null
    this.message = message
    this.phase = 'signed-out'
    route.leave()
  }

  /** Nothing that was written may stay on a shared computer. */
  async #erase(): Promise<void> {
    eraseNoteDrafts()
    draftStore.clear()
    await Promise.allSettled([sendStore(this.#database).clear(), fileStore(this.#database).clear()])
  }

  async #heard(signal: Signal): Promise<void> {
    if (signal === 'signed-out' && this.client !== null) {
      await this.#sessions.forget()
      this.#leave('')
    } else if (signal === 'signed-in' && this.client === null && (await this.#sessions.restore())) {
      this.#enter()
    }
  }
}

export const app = new App()
