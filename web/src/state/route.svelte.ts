import type { RoomId } from '../protocol/types'

/** What the address says is on the screen: `#/rooms/ROOM/PANEL/ITEM`, `#/PAGE/ITEM`, or nothing: the list. */
export interface Place {
  room: RoomId | null
  /** `#/rooms/ROOM?message=SEQ`: where to begin reading. Gone from the address once it is in sight. */
  message?: number | null
  /** Beside the room: its members, files, pins, notes. */
  panel: string | null
  /** A page of its own: search, settings, … */
  page: string | null
  /** What is open within panel or page. */
  item: string | null
}

const NOWHERE: Place = { room: null, panel: null, page: null, item: null }

export function placeOf(address: string): Place {
  const [path = '', query = ''] = address.replace(/^#\/?/, '').split('?', 2)
  const place = pathOf(path)
  const message = Number(/^message=(\d{1,15})$/.exec(query)?.[1] ?? 0)
  return message > 0 && place.room !== null ? { ...place, message } : place
}

function pathOf(path: string): Place {
  const [first, ...rest] = path.split('/').map(decoded)
  if (first === undefined || first === '') return NOWHERE
  if (first !== 'rooms') return { ...NOWHERE, page: first, item: rest[0] ?? null }
  const [room, panel, item] = rest
  return room === undefined || room === '' ? NOWHERE : { ...NOWHERE, room, panel: panel ?? null, item: item ?? null }
}

/** A path on this server for the browser's history. */
export function addressOf({ room, panel, page, item, message }: Place): string {
  if (room === null && page === null) return location.pathname
  const parts = page === null ? ['rooms', room, panel, item] : [page, item]
  const query = message === undefined || message === null ? '' : `?message=${message}`
  return `#/${parts.filter((part) => part !== null).map(encodeURIComponent).join('/')}${query}`
}

/** To hand on: it leads whoever may read the message to it. */
export function messageLink(room: RoomId, message: number): string {
  return new URL(addressOf({ ...NOWHERE, room, message }), location.origin + location.pathname).href
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The addresses of the steps of this page that lie below the present one in the browser's history. */
const trail = (): readonly string[] => (history.state as { trail?: string[] } | null)?.trail ?? []

const level = (place: Place): number =>
  [place.room ?? place.page, place.panel, place.item].filter((part) => part !== null).length

/** Where one is, in the address, so that the phone's own back button closes what was opened last. */
/** Where one came from by a step aside, from a page to a room or the other way; null when one came from the list. */
function beside(place: Place): Place | null {
  const address = trail().at(-1)
  if (address === undefined || place.panel !== null || place.item !== null) return null
  const below = placeOf(address)
  return below.room === null && below.page === null ? null : below
}

class Route {
  #place = $state.raw(placeOf(location.hash))
  /** The page or room to which the way back leads, where it is not the list. */
  readonly origin = $derived(beside(this.#place))
  readonly room = $derived(this.#place.room)
  readonly panel = $derived(this.#place.panel)
  readonly page = $derived(this.#place.page)
  readonly item = $derived(this.#place.item)
  readonly message = $derived(this.#place.message ?? null)

  constructor() {
    addEventListener('popstate', () => (this.#place = placeOf(location.hash)))
  }

  go(room: RoomId): void {
    this.#to({ ...NOWHERE, room })
  }

  /** A room at one of its messages; the panel beside it stays. From a page, the way back leads to the page again. */
  toMessage(room: RoomId, message: number): void {
    const here = this.room === room ? this.#place : { ...NOWHERE, room }
    if (this.page === null) this.#to({ ...here, message })
    else this.#push({ ...here, message })
  }

  /** The message is in sight: the address names the room alone, so that the same link leads there again. */
  arrived(): void {
    const { message: _, ...place } = this.#place
    history.replaceState(history.state, '', addressOf(place))
    this.#place = place
  }

  /** To the room that something on a page leads to: the way back leads to the page again. */
  follow(room: RoomId): void {
    if (this.page === null) this.go(room)
    else this.#push({ ...NOWHERE, room })
  }

  /** Opens a panel beside the room, or something within it. */
  open(panel: string, item: string | null = null): void {
    if (this.room !== null) this.#to({ ...NOWHERE, room: this.room, panel, item })
  }

  visit(page: string, item: string | null = null): void {
    const place = { ...NOWHERE, page, item }
    if (this.room === null) this.#to(place)
    else this.#push(place)
  }

  /** The room alone, without its panel. */
  closePanel(): void {
    if (this.panel !== null) this.#up({ ...NOWHERE, room: this.room })
  }

  /** From a page, wherever in it, to the list. */
  closePage(): void {
    if (this.page !== null) this.#up(NOWHERE)
  }

  /** One level up: from what is open within a panel to the panel, to the room, to the list. */
  back(): void {
    const { room, panel, page, item } = this.#place
    if (item !== null) this.#up({ room, panel, page, item: null })
    else if (panel !== null) this.closePanel()
    else if (this.origin !== null) history.back()
    else this.#up(NOWHERE)
  }

  /** To the list, without a trace of the room in the address. */
  leave(): void {
    history.replaceState(null, '', addressOf(NOWHERE))
    this.#place = NOWHERE
  }

  #to(place: Place): void {
    if (level(place) > level(this.#place)) {
      this.#push(place)
    } else {
      history.replaceState(history.state, '', addressOf(place))
      this.#place = place
    }
  }

  #push(place: Place): void {
    history.pushState({ trail: [...trail(), addressOf(this.#place)] }, '', addressOf(place))
    this.#place = place
  }

  #up(place: Place): void {
    const address = addressOf(place)
    const below = trail()
    const index = below.lastIndexOf(address)
    // We came from there by steps of our own: going up is the browser's way back, not a new step.
    if (index >= 0) {
      history.go(index - below.length)
      return
    }
    history.replaceState(null, '', address)
    this.#place = place
  }
}

export const route = new Route()
