import { LOST } from './closing'
import { decode, encode, SUBPROTOCOL } from './codec'
import { Problem, Unreachable } from './problem'
import { Requests } from './requests'
import type { AnswerTo, Command, Hello, MeEvent, Passing, RoomEvent, ServerFrame } from './types'

/** Milliseconds. */
export interface SocketTimes {
  /** From dialling to `hello`. */
  connect: number
  /** Without any frame for so long, we ask. */
  quiet: number
  /** And give up when nothing comes for so long after asking. */
  pong: number
  /** No answer to a command for so long means that the connection only looks alive. */
  answer: number
}

export const SOCKET_TIMES: SocketTimes = { connect: 15_000, quiet: 45_000, pong: 10_000, answer: 60_000 }

export interface SocketHandlers {
  hello(frame: Hello): void
  event(frame: RoomEvent | MeEvent): void
  /** What is true now and stored nowhere: who is there. */
  passing?(frame: Passing): void
  /** Once, whatever the reason. `problem` is the error that the server named before it closed. */
  closed(code: number, problem: Problem | null): void
}

/** What we need of the browser's WebSocket; tests bring one for Node. */
export type WebSocketClass = new (url: string, protocol: string) => WebSocket

/** One connection: first-frame authentication, commands and answers, heartbeat. It never reconnects: see link.ts. */
export class Socket {
  readonly #ws: WebSocket
  readonly #handlers: SocketHandlers
  readonly #times: SocketTimes
  readonly #requests: Requests
  #heard = Date.now()
  #timer: ReturnType<typeof setTimeout> | undefined
  #problem: Problem | null = null
  #over = false

  constructor(
    url: string,
    token: string,
    handlers: SocketHandlers,
    times: SocketTimes = SOCKET_TIMES,
    WebSocketImplementation: WebSocketClass = WebSocket,
  ) {
    this.#handlers = handlers
    this.#times = times
    this.#requests = new Requests(1, (frame) => this.#ws.send(encode(frame)))
    this.#ws = new WebSocketImplementation(url, SUBPROTOCOL)
    this.#ws.binaryType = 'arraybuffer'
    this.#ws.onopen = () => this.#authenticate(token)
    this.#ws.onmessage = (message) => this.#received(message.data as unknown)
    this.#ws.onclose = (close) => this.#end(close.code)
    // An error event says nothing, and the close event follows it.
    this.#ws.onerror = () => undefined
    this.#timer = setTimeout(() => this.#end(LOST), times.connect)
  }

  /** Rejects with `Problem` (the server's answer) or `Unreachable` (no answer; it may have arrived). */
  async request<C extends Command>(command: C): Promise<AnswerTo<C>> {
    if (this.#over) throw new Unreachable('connection closed')
    const late = setTimeout(() => this.#end(LOST), this.#times.answer)
    try {
      return (await this.#requests.add(command)) as AnswerTo<C>
    } finally {
      clearTimeout(late)
    }
  }

  /** Ask now whether the other end is there: after sleep, or when the network changed. */
  probe(): void {
    if (!this.#over && this.#ws.readyState === 1) this.#ask()
  }

  close(): void {
    this.#end(1000)
  }

  #authenticate(token: string): void {
    this.#requests
      .add({ op: 'auth', token })
      .then((hello) => {
        this.#requests.limit = Math.max(1, (hello as Hello).limits.unanswered - 4)
        this.#listen()
        this.#handlers.hello(hello as Hello)
      })
      .catch((error: unknown) => {
        if (error instanceof Problem) this.#problem = error
      })
  }

  #received(data: unknown): void {
    this.#heard = Date.now()
    let frame: ServerFrame
    try {
      frame = decode(data as ArrayBuffer)
    } catch {
      this.#end(LOST)
      return
    }
    switch (frame.op) {
      case 'event':
      case 'me':
        this.#handlers.event(frame)
        break
      case 'receipt':
      case 'receipts':
      case 'confirmations':
      case 'presence':
        this.#handlers.passing?.(frame)
        break
      case 'error':
        if (frame.ref === undefined) this.#problem = new Problem(frame)
        this.#requests.answer(frame)
        break
      case 'hello':
      case 'resumed':
      case 'page':
      case 'ack':
      case 'result':
        this.#requests.answer(frame)
        break
      default:
      // An operation of a later version.
    }
  }

  /** Wake up when the silence would be long enough, instead of moving a timer with every frame. */
  #listen(): void {
    clearTimeout(this.#timer)
    const silence = Date.now() - this.#heard
    if (silence >= this.#times.quiet) this.#ask()
    else this.#timer = setTimeout(() => this.#listen(), this.#times.quiet - silence)
  }

  #ask(): void {
    clearTimeout(this.#timer)
    const asked = Date.now()
    this.request({ op: 'ping' }).catch(() => undefined)
    this.#timer = setTimeout(() => {
      if (this.#heard < asked) this.#end(LOST)
      else this.#listen()
    }, this.#times.pong)
  }

  /** A half-open connection answers no closing handshake, so we do not wait for one. */
  #end(code: number): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#ws.onopen = this.#ws.onmessage = this.#ws.onclose = null
    this.#ws.close()
    this.#requests.abandon()
    this.#handlers.closed(code, this.#problem)
  }
}
