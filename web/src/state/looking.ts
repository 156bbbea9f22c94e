import type { RoomId } from '../protocol/types'

/** Tells the server which room is on the screen: only then it tells who reads and who confirms there. */
export class Looking {
  readonly #send: (room: RoomId | null) => Promise<unknown>
  #room: RoomId | null = null
  #told: RoomId | null = null
  readonly #change = () => this.#tell()

  constructor(send: (room: RoomId | null) => Promise<unknown>) {
    this.#send = send
    document.addEventListener('visibilitychange', this.#change)
  }

  at(room: RoomId | null): void {
    this.#room = room
    this.#tell()
  }

  /** A new connection has been told nothing. */
  wake(): void {
    this.#told = null
    this.#tell()
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#change)
  }

  #tell(): void {
    const seen = document.visibilityState === 'visible' ? this.#room : null
    if (seen === this.#told) return
    this.#told = seen
    // Without a connection, or out of the room by now: the next `wake` or room tells anew.
    this.#send(seen).catch(() => (this.#told = null))
  }
}
