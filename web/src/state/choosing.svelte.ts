import { SvelteMap } from 'svelte/reactivity'
import { NOTE } from '../protocol/noteTypes'
import type { Message, MessageId } from '../protocol/types'
import type { Timeline } from './timeline.svelte'

/** Messages that are chosen in a timeline, to be taken over into a note. */
class Choosing {
  /** In which timeline; null while nothing is chosen anywhere. */
  timeline = $state.raw<Timeline | null>(null)
  /** The next one that is pointed at ends a range: for those who have no Shift key. */
  ranging = $state(false)
  /** More were wanted than go at once. */
  full = $state(false)
  readonly #chosen = new SvelteMap<MessageId, number>()
  #last: number | null = null

  get count(): number {
    return this.#chosen.size
  }

  /** In the room's order. */
  get ids(): MessageId[] {
    return [...this.#chosen].sort(([, a], [, b]) => a - b).map(([id]) => id)
  }

  has(id: MessageId): boolean {
    return this.#chosen.has(id)
  }

  start(timeline: Timeline, message: Message): void {
    this.end()
    this.timeline = timeline
    this.#put(message)
  }

  /** `range`: with all between the one before and this one. */
  toggle(message: Message, range: boolean): void {
    this.full = false
    if ((range || this.ranging) && this.#last !== null) this.#reach(message)
    else if (this.#chosen.delete(message.id)) this.#last = message.seq
    else this.#put(message)
    this.ranging = false
  }

  /** It was redacted meanwhile, or left the room. */
  drop(id: MessageId): void {
    this.#chosen.delete(id)
  }

  end(): void {
    this.#chosen.clear()
    this.#last = null
    this.timeline = null
    this.ranging = false
    this.full = false
  }

  #reach(message: Message): void {
    const [from, to] = [Math.min(this.#last!, message.seq), Math.max(this.#last!, message.seq)]
    const between = (this.timeline?.messages ?? []).filter(({ seq }) => from <= seq && seq <= to)
    // From the one before onwards: where there are too many, those nearest to it are taken.
    for (const one of this.#last! <= message.seq ? between : between.toReversed()) if (choosable(one)) this.#put(one)
  }

  #put(message: Message): void {
    if (!this.#chosen.has(message.id) && this.#chosen.size >= NOTE.messages) this.full = true
    else this.#chosen.set(message.id, message.seq)
    this.#last = message.seq
  }
}

export function choosable(message: Message): boolean {
  return message.redacted === undefined && message.kind !== 'system'
}

export const choosing = new Choosing()
