import { CLOSE } from '../protocol/closing'
import type { LinkState } from '../protocol/link'
import { text } from '../text/words.svelte'

/** A connection that comes back sooner than this is not worth a word. */
const PATIENCE = 1_000

export interface Notice {
  tone: 'waiting' | 'stopped'
  text: string
}

/** The state of the connection in words; nothing while all is well. */
export class Connection {
  #state = $state.raw<LinkState>({ name: 'off' })
  #patient = $state(true)
  #online = $state(navigator.onLine)
  #everOpen = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly open = $derived(this.#state.name === 'open')
  readonly notice: Notice | null = $derived.by(() => this.#describe())

  become(state: LinkState): void {
    this.#state = state
    this.#online = navigator.onLine
    if (state.name === 'open' || state.name === 'off') {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#patient = true
      this.#everOpen ||= state.name === 'open'
    } else {
      this.#timer ??= setTimeout(() => (this.#patient = false), PATIENCE)
    }
  }

  network(online: boolean): void {
    this.#online = online
  }

  #describe(): Notice | null {
    const words = text.words.connection
    const state = this.#state
    if (state.name === 'stopped') {
      const said = state.problem === null ? words.stopped(state.lost) : text.problem(state.problem)
      return { tone: 'stopped', text: said }
    }
    if (!this.#online && state.name !== 'off') return { tone: 'waiting', text: words.offline }
    if (state.name === 'open' || state.name === 'off' || this.#patient) return null
    if (state.name === 'connecting' && state.lost === null) {
      return { tone: 'waiting', text: this.#everOpen ? words.reconnecting : words.connecting }
    }
    if (state.lost === CLOSE.restarting) return { tone: 'waiting', text: words.restarting }
    if (state.lost === CLOSE.busy) return { tone: 'waiting', text: words.busy }
    return { tone: 'waiting', text: words.lost }
  }
}
