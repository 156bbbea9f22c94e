import { backOff, LOST, verdict } from './closing'
import type { Problem } from './problem'
import { SignedOut } from './session'
import { Socket, SOCKET_TIMES, type SocketTimes, type WebSocketClass } from './socket'
import type { Hello, MeEvent, Passing, RoomEvent } from './types'

export type LinkState =
  | { name: 'off' }
  /** `lost` is the code of the connection before this one; null on the first. */
  | { name: 'connecting'; lost: number | null }
  | { name: 'open' }
  | { name: 'waiting'; lost: number; until: number }
  | { name: 'stopped'; lost: number; problem: Problem | null }

export interface LinkHandlers {
  state(state: LinkState): void
  /** Authenticated. Commands may be sent on `socket` until `down`. */
  up(hello: Hello, socket: Socket): void
  event(frame: RoomEvent | MeEvent): void
  /** What is true now and stored nowhere: who is there. */
  passing?(frame: Passing): void
  down(): void
  /** The server wants nothing of this person to stay on this device. */
  erase(problem: Problem | null): void
}

export interface TokenSource {
  /** A token valid for at least so many milliseconds. Rejects with `SignedOut` or `Unreachable`. */
  token(minimum: number): Promise<string>
  /** A token other than this one, which the server refused. */
  replace(refused: string): Promise<string>
}

export interface LinkOptions {
  times?: SocketTimes
  /** A connection that lived so long has worked: back-off starts anew. */
  stable?: number
  /** How long before a session's end to renew it. */
  renewBefore?: number
  /** Between two attempts to renew. */
  renewAgain?: number
  random?: () => number
  WebSocket?: WebSocketClass
}

/** Keeps one connection up: dials, waits, renews, and stops where the server says so. */
export class Link {
  readonly #url: string
  readonly #tokens: TokenSource
  readonly #handlers: LinkHandlers
  readonly #options: Required<LinkOptions>
  #socket: Socket | null = null
  #hello = false
  #since = 0
  #attempt = 0
  /** The token that the server refused or let expire: the next dial brings another one. */
  #stale: string | null = null
  #replaced = false
  #skew = 0
  #lost: number | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #renewal: ReturnType<typeof setTimeout> | undefined
  /** Raised by `stop`, so that what an old life still awaits changes nothing. */
  #life = 0
  #state: LinkState = { name: 'off' }

  constructor(url: string, tokens: TokenSource, handlers: LinkHandlers, options: LinkOptions = {}) {
    this.#url = url
    this.#tokens = tokens
    this.#handlers = handlers
    this.#options = {
      times: SOCKET_TIMES,
      stable: 10_000,
      renewBefore: 90_000,
      renewAgain: 5_000,
      random: Math.random,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      ...options,
    }
  }

  start(): void {
    if (this.#state.name === 'off' || this.#state.name === 'stopped') void this.#dial()
  }

  stop(): void {
    this.#life += 1
    this.#down()
    this.#socket?.close()
    this.#socket = null
    this.#attempt = 0
    this.#stale = null
    this.#replaced = false
    this.#become({ name: 'off' })
  }

  /** The page became visible or the network came back: do not wait for a timer that slept. */
  poke(): void {
    if (this.#state.name === 'waiting') void this.#dial()
    else if (this.#state.name === 'open') this.#socket?.probe()
  }

  async #dial(): Promise<void> {
    clearTimeout(this.#timer)
    const life = this.#life
    this.#become({ name: 'connecting', lost: this.#lost })
    let token: string
    try {
      token = this.#stale === null ? await this.#tokens.token(30_000) : await this.#tokens.replace(this.#stale)
    } catch (error) {
      // Signed out: whoever owns the session hears it from there.
      if (life === this.#life && !(error instanceof SignedOut)) {
        this.#wait(LOST, backOff(this.#attempt++, this.#options.random))
      }
      return
    }
    if (life !== this.#life) return
    this.#stale = null
    const socket: Socket = new Socket(
      this.#url,
      token,
      {
        hello: (hello) => this.#up(hello, socket, life),
        event: (frame) => this.#handlers.event(frame),
        passing: (frame) => this.#handlers.passing?.(frame),
        closed: (code, problem) => {
          if (life === this.#life) this.#closed(code, problem, token)
        },
      },
      this.#options.times,
      this.#options.WebSocket,
    )
    this.#socket = socket
  }

  #up(hello: Hello, socket: Socket, life: number): void {
    if (life !== this.#life) return
    this.#hello = true
    this.#since = Date.now()
    this.#replaced = false
    this.#skew = hello.time - Date.now()
    this.#become({ name: 'open' })
    this.#renewLater(socket, hello.expires - hello.time)
    this.#handlers.up(hello, socket)
  }

  #closed(code: number, problem: Problem | null, token: string): void {
    const worked = this.#hello && Date.now() - this.#since >= this.#options.stable
    if (worked) this.#attempt = 0
    this.#down()
    this.#socket = null
    const next = verdict(code, this.#attempt, this.#options.random)
    this.#attempt += 1
    if (next.then === 'erase') {
      this.#become({ name: 'stopped', lost: code, problem })
      this.#handlers.erase(problem)
    } else if (next.then === 'stop') {
      this.#become({ name: 'stopped', lost: code, problem })
    } else if (next.then === 'sign-in') {
      // Our clock may be wrong, or the server's keys were rotated: a new token deserves one try.
      if (this.#replaced) {
        this.#become({ name: 'stopped', lost: code, problem })
        return
      }
      this.#replaced = true
      this.#stale = token
      void this.#dial()
    } else {
      if (next.refresh) this.#stale = token
      this.#wait(code, next.delay)
    }
  }

  #wait(code: number, delay: number): void {
    this.#lost = code
    this.#become({ name: 'waiting', lost: code, until: Date.now() + delay })
    this.#timer = setTimeout(() => void this.#dial(), delay)
  }

  /** `lifetime` by the server's clock alone: ours may be a day off. */
  #renewLater(socket: Socket, lifetime: number): void {
    clearTimeout(this.#renewal)
    const delay = Math.max(1_000, lifetime / 2, lifetime - this.#options.renewBefore)
    this.#renewal = setTimeout(() => void this.#renew(socket), delay)
  }

  async #renew(socket: Socket): Promise<void> {
    try {
      const token = await this.#tokens.token(this.#options.renewBefore + 30_000)
      const { expires } = await socket.request({ op: 'renew', token })
      if (this.#socket === socket && expires !== undefined) {
        this.#renewLater(socket, expires - Date.now() - this.#skew)
      }
    } catch (error) {
      if (error instanceof SignedOut || this.#socket !== socket) return
      clearTimeout(this.#renewal)
      this.#renewal = setTimeout(() => void this.#renew(socket), this.#options.renewAgain)
    }
  }

  #down(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#renewal)
    if (this.#hello) {
      this.#hello = false
      this.#handlers.down()
    }
  }

  #become(state: LinkState): void {
    this.#state = state
    this.#handlers.state(state)
  }
}
