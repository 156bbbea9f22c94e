import type { RoomId } from '../protocol/types'

/** Long enough that scrolling through a room sends a few markers, not one a message. */
const PAUSE = 400

/** Read markers on their way: how far the eyes went in each room, told to the server in the end. */
export class Markers {
  #seen = new Map<RoomId, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Rejects when the server did not take it: it is kept then, and `wake` tries again. */
  readonly #send: (room: RoomId, upto: number) => Promise<void>

  constructor(send: (room: RoomId, upto: number) => Promise<void>) {
    this.#send = send
  }

  seen(room: RoomId, upto: number): void {
    if ((this.#seen.get(room) ?? 0) >= upto) return
    this.#seen.set(room, upto)
    this.#timer ??= setTimeout(() => this.wake(), PAUSE)
  }

  wake(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [room, upto] of this.#seen) {
      this.#send(room, upto)
        .then(() => {
          if (this.#seen.get(room) === upto) this.#seen.delete(room)
        })
        .catch(() => undefined)
    }
  }
}
