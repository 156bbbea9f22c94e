/**
 * The positions of every stream: rooms and the user's own (`null`). Pure: frames go in, actions come out, and
 * whoever holds the socket carries them out. docs/protocol.md, section 3.
 *
 * A room is *held* once its messages were loaded (`snapshot`): from then on every event must be applied once and in
 * order, so holes are pulled. A room that is only listed holds nothing that could miss an event; its newest event is
 * passed on, and older ones are dropped.
 */

import type { MeEvent, Page, Resumed, RoomEvent, RoomId } from './types'

export type StreamId = RoomId | null
export type StreamEvent = RoomEvent | MeEvent

export type Action =
  | { do: 'apply'; stream: StreamId; event: StreamEvent }
  /** Ask for the page after `after`; hand it to `page` with the same `after`, or call `pullFailed`. */
  | { do: 'pull'; stream: StreamId; after: number }
  /** What is held is worthless: load it anew by HTTP. For a room, finish with `snapshot`. */
  | { do: 'reload'; stream: StreamId }
  /** No longer a member: drop the room. */
  | { do: 'forget'; room: RoomId }

interface Position {
  /** The last event that was applied. */
  last: number
  /** The highest seq that is known to exist. */
  top: number
  held: boolean
  /** Between `reload` and `snapshot`: events only raise `top`, the snapshot will contain them or be pulled up. */
  loading: boolean
  /** The server waits for us to pull until a page says `live`. */
  replaying: boolean
  /** The `after` of the pull that is under way. */
  pulling: number | null
}

const position = (last: number, held: boolean): Position => ({
  last,
  top: last,
  held,
  loading: false,
  replaying: false,
  pulling: null,
})

export class Streams {
  #epoch: string | null = null
  #live = false
  #me: Position | null = null
  #rooms = new Map<RoomId, Position>()

  last(stream: StreamId): number {
    return this.#at(stream)?.last ?? 0
  }

  /** True when nothing is known to be missing. */
  caughtUp(stream: StreamId): boolean {
    const at = this.#at(stream)
    return this.#live && at !== undefined && !at.loading && !at.replaying && at.last >= at.top
  }

  /** What to send as `resume`. Rooms that hold nothing are not named: they need no replay. */
  resumeFrom(): { epoch: string | null; me: number; rooms: Record<RoomId, number> } {
    const rooms: Record<RoomId, number> = {}
    for (const [room, at] of this.#rooms) if (at.held && !at.loading) rooms[room] = at.last
    return { epoch: this.#epoch, me: this.#me?.last ?? 0, rooms }
  }

  resumed(frame: Resumed): Action[] {
    const restored = this.#epoch !== null && this.#epoch !== frame.epoch
    this.#epoch = frame.epoch
    this.#live = true
    const actions = this.#resumeMe(frame.me, restored)
    for (const room of [...this.#rooms.keys()]) {
      if (!(room in frame.rooms)) actions.push(...this.forget(room))
    }
    for (const [room, { head, state }] of Object.entries(frame.rooms)) {
      actions.push(...this.#resumeRoom(room, head, restored ? 'resync' : state))
    }
    return actions
  }

  #resumeMe({ head, state }: Resumed['me'], restored: boolean): Action[] {
    const fresh = this.#me === null
    const me = (this.#me ??= position(head, true))
    if (fresh) {
      // Nothing is held yet, and everything is about to be loaded by HTTP: skip the past instead of replaying it.
      if (state !== 'replay') return []
      me.replaying = true
      return this.#pull(null, me)
    }
    if (restored || state === 'resync' || head < me.last) {
      Object.assign(me, position(head, true))
      return [{ do: 'reload', stream: null }]
    }
    me.top = Math.max(me.top, head)
    me.replaying = state === 'replay'
    return this.#pullIfBehind(null, me)
  }

  #resumeRoom(room: RoomId, head: number, state: string): Action[] {
    if (state === 'gone') return this.forget(room)
    const at = this.#rooms.get(room)
    if (!at?.held) {
      this.#rooms.set(room, position(head, false))
      return []
    }
    if (at.loading) {
      at.top = head
      return [{ do: 'reload', stream: room }]
    }
    if (state === 'resync' || head < at.last) return this.#reload(room, at, head)
    at.top = Math.max(at.top, head)
    at.replaying = state === 'replay'
    return this.#pullIfBehind(room, at)
  }

  event(frame: StreamEvent): Action[] {
    const stream = frame.op === 'event' ? frame.room : null
    let at = this.#at(stream)
    if (at === undefined) {
      if (stream === null) return []
      at = position(0, false)
      this.#rooms.set(stream, at)
    }
    if (frame.seq <= at.last) return []
    at.top = Math.max(at.top, frame.seq)
    if (at.loading) return []
    if (!at.held || frame.seq === at.last + 1) {
      at.last = frame.seq
      return [{ do: 'apply', stream, event: frame }]
    }
    return this.#pullIfBehind(stream, at)
  }

  /** The answer to the `pull` of this stream `after` that seq. */
  page(stream: StreamId, after: number, frame: Page): Action[] {
    const at = this.#at(stream)
    // A page that was asked for before the stream was reloaded or forgotten says nothing any more.
    if (at === undefined || at.pulling !== after) return []
    at.pulling = null
    const actions: Action[] = []
    const before = at.last
    for (const event of frame.events) {
      if (event.seq <= at.last) continue
      if (event.seq !== at.last + 1) return [...actions, ...this.#broken(stream, at, frame.head)]
      at.last = event.seq
      actions.push({ do: 'apply', stream, event })
    }
    at.top = Math.max(at.top, at.last, frame.head)
    if (frame.live) at.replaying = false
    const behind = at.replaying || at.last < at.top
    // A page that brings nothing while something is missing would be asked for again for ever.
    if (behind && at.last === before) return [...actions, ...this.#broken(stream, at, frame.head)]
    return [...actions, ...this.#pullIfBehind(stream, at)]
  }

  /** The pull was answered by an error that may pass; call `retry` after a while. */
  pullFailed(stream: StreamId): void {
    const at = this.#at(stream)
    if (at !== undefined) at.pulling = null
  }

  retry(stream: StreamId): Action[] {
    const at = this.#at(stream)
    return at === undefined ? [] : this.#pullIfBehind(stream, at)
  }

  /** The room's messages up to `head` were loaded by HTTP: hold it from there. */
  snapshot(room: RoomId, head: number): Action[] {
    const known = this.#rooms.get(room)
    const at = position(head, true)
    at.top = Math.max(head, known?.top ?? 0)
    at.replaying = known?.replaying ?? false
    this.#rooms.set(room, at)
    return this.#pullIfBehind(room, at)
  }

  /** The room's messages are no longer kept here; it stays in the list. */
  release(room: RoomId): void {
    const at = this.#rooms.get(room)
    if (at !== undefined) this.#rooms.set(room, position(Math.max(at.last, at.top), false))
  }

  forget(room: RoomId): Action[] {
    return this.#rooms.delete(room) ? [{ do: 'forget', room }] : []
  }

  disconnected(): void {
    this.#live = false
    for (const at of [this.#me, ...this.#rooms.values()]) {
      if (at === null) continue
      at.pulling = null
      at.replaying = false
    }
  }

  #at(stream: StreamId): Position | undefined {
    return stream === null ? (this.#me ?? undefined) : this.#rooms.get(stream)
  }

  #pullIfBehind(stream: StreamId, at: Position): Action[] {
    if (!this.#live || !at.held || at.loading || at.pulling !== null) return []
    return at.replaying || at.last < at.top ? this.#pull(stream, at) : []
  }

  #pull(stream: StreamId, at: Position): Action[] {
    at.pulling = at.last
    return [{ do: 'pull', stream, after: at.last }]
  }

  /** The server contradicted itself: what is held may have a hole, so nothing of it is kept. */
  #broken(stream: StreamId, at: Position, head: number): Action[] {
    if (stream !== null) return this.#reload(stream, at, head, at.replaying)
    Object.assign(at, position(Math.max(head, at.last), true))
    return [{ do: 'reload', stream: null }]
  }

  #reload(room: RoomId, at: Position, head: number, replaying = false): Action[] {
    Object.assign(at, position(0, true), { top: head, loading: true, replaying })
    return [{ do: 'reload', stream: room }]
  }
}
