import { Problem, Unreachable } from '../protocol/problem'
import type { Socket } from '../protocol/socket'
import { type Action, type StreamId, Streams } from '../protocol/stream'
import type { AnswerTo, Command, MeEvent, Resumed, RoomEvent, RoomId } from '../protocol/types'

const PULL_AGAIN = 2_000

export interface Followed {
  happened(event: RoomEvent): void
  mine(event: MeEvent): void
  /** Everything held of this stream is worthless. */
  reload(stream: StreamId): void
  forget(room: RoomId): void
}

/** Carries out over the socket what the streams ask for, and passes on each event once and in order. */
export class Follower {
  readonly streams = new Streams()
  readonly #told: Followed
  #socket: Socket | null = null

  constructor(told: Followed) {
    this.#told = told
  }

  /** Takes up the streams on a new connection. Raises what `resume` is refused with; then it is of no use. */
  async resume(socket: Socket): Promise<Resumed> {
    const resumed = await socket.request({ op: 'resume', ...this.streams.resumeFrom() })
    this.#socket = socket
    this.run(this.streams.resumed(resumed))
    return resumed
  }

  disconnected(): void {
    this.#socket = null
    this.streams.disconnected()
  }

  /** Over the live connection. Raises `Unreachable` without one, `Problem` for a refusal. */
  async request<C extends Command>(command: C): Promise<AnswerTo<C>> {
    if (this.#socket === null) throw new Unreachable('not connected')
    return this.#socket.request(command)
  }

  run(actions: Action[]): void {
    for (const action of actions) {
      if (action.do === 'pull') void this.#pull(action.stream, action.after)
      else if (action.do === 'forget') this.#told.forget(action.room)
      else if (action.do === 'reload') this.#told.reload(action.stream)
      else if (action.event.op === 'me') this.#told.mine(action.event)
      else this.#told.happened(action.event)
    }
  }

  async #pull(stream: StreamId, after: number): Promise<void> {
    try {
      const page = await this.request({ op: 'pull', after, ...(stream === null ? {} : { room: stream }) })
      this.run(this.streams.page(stream, after, page))
    } catch (error) {
      if (!(error instanceof Problem)) return
      if (stream !== null && error.isGone) {
        this.run(this.streams.forget(stream))
        return
      }
      this.streams.pullFailed(stream)
      setTimeout(() => this.run(this.streams.retry(stream)), error.retryAfter ?? PULL_AGAIN)
    }
  }
}
