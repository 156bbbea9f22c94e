import type { RoomId } from '../protocol/types'

const ROOM = /^#\/rooms\/([^/]+)$/

function current(): RoomId | null {
  const match = ROOM.exec(location.hash)
  return match?.[1] === undefined ? null : decodeURIComponent(match[1])
}

/** The room in the address, so that the phone's own back button leads back to the list. */
class Route {
  room = $state<RoomId | null>(current())
  /** We came here from the list: going back is the browser's step, not a new one. */
  #fromList = false

  constructor() {
    addEventListener('popstate', () => {
      this.room = current()
      this.#fromList = false
    })
  }

  go(room: RoomId): void {
    const address = `#/rooms/${encodeURIComponent(room)}`
    if (this.room === null) {
      history.pushState(null, '', address)
      this.#fromList = true
    } else {
      history.replaceState(null, '', address)
    }
    this.room = room
  }

  back(): void {
    if (this.#fromList) {
      history.back()
      return
    }
    this.leave()
  }

  /** To the list, without a trace of the room in the address. */
  leave(): void {
    history.replaceState(null, '', location.pathname)
    this.room = null
    this.#fromList = false
  }
}

export const route = new Route()
