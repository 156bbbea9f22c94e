/** The calls for what people owe each other: confirming, reading, announcements, and messages that are sent later. */

import type { Api } from './api'
import { type Download, download } from './download'
import type { Call } from './http'
import type { Ack, Block, Level, Message, MessageId, Person, ProblemBody, RoomId, TextBlock } from './types'

export interface PendingConfirmation {
  room: RoomId
  message: MessageId
  at: number
  by: number
  author_name: string
  text: string
}

export interface AskedPerson {
  person: Person
  /** When they confirmed; null: not yet. */
  at: number | null
}

export interface Confirmations {
  by: number
  confirmed: number
  asked: number
  /** When one has confirmed oneself. */
  mine: number | null
  /** `people`: where one may see names. */
  departments: { name: string; confirmed: number; asked: number; people?: AskedPerson[] }[]
}

export interface Readers {
  departments: { name: string; read: number; total: number; readers?: Person[]; unread?: Person[] }[]
}

export interface RollupDepartment {
  organization: string
  /** null: those without a department. */
  id: string | null
  name: string
  parent: string | null
  read: number
  total: number
}

export interface Rollup {
  read: number
  total: number
  departments: RollupDepartment[]
}

export interface Announcement {
  room: RoomId
  /** The room's. */
  name: string
  message: Message
}

export interface Scheduled {
  id: string
  room: RoomId
  at: number
  blocks: Block[]
  /** The names of those whom it will call. */
  mentions: Record<string, string>
  quote: MessageId | null
  confirm: number | null
  level: Level | null
  version: number
  failed: ProblemBody | null
}

export interface NewScheduled {
  at: number
  blocks: Block[]
  quote?: MessageId
  confirm?: number
  level?: Level
}

const of = (message: MessageId): string => `/api/messages/${encodeURIComponent(message)}`

export class DutiesApi {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  /** The first 200, the nearest time first. */
  async pending(): Promise<PendingConfirmation[]> {
    return (await this.#call<{ items: PendingConfirmation[] }>('/api/me/confirmations')).items
  }

  confirmations(message: MessageId): Promise<Confirmations> {
    return this.#call(`${of(message)}/confirmations`)
  }

  confirm(message: MessageId): Promise<{ at: number }> {
    return this.#call(`${of(message)}/confirmation`, { method: 'PUT' })
  }

  /** null: nobody is asked any more. */
  confirmBy(message: MessageId, by: number | null): Promise<Ack> {
    return this.#call(`${of(message)}/confirm-by`, { method: 'PUT', body: { by } })
  }

  confirmationsTable(message: MessageId, signal: AbortSignal): Promise<Download> {
    const path = `${of(message)}/confirmations.csv`
    return this.#api.authorized((token) => download(this.#api.base, path, token, signal))
  }

  readers(message: MessageId): Promise<Readers> {
    return this.#call(`${of(message)}/readers`)
  }

  rollup(message: MessageId): Promise<Rollup> {
    return this.#call(`${of(message)}/readers/rollup`)
  }

  /** The first 50, the most urgent first. */
  async announcements(): Promise<Announcement[]> {
    return (await this.#call<{ items: Announcement[] }>('/api/me/announcements')).items
  }

  /** The next one first. */
  async scheduled(): Promise<Scheduled[]> {
    return (await this.#call<{ items: Scheduled[] }>('/api/me/scheduled')).items
  }

  /** `key` makes repeating it safe. */
  schedule(room: RoomId, message: NewScheduled, key: string): Promise<Scheduled> {
    const path = `/api/rooms/${encodeURIComponent(room)}/scheduled`
    return this.#call(path, { method: 'POST', body: message, key })
  }

  reschedule(one: Scheduled, change: { at?: number; blocks?: Block[]; now?: boolean }): Promise<Scheduled> {
    const path = `/api/scheduled/${encodeURIComponent(one.id)}`
    return this.#call(path, { method: 'PATCH', body: { version: one.version, ...change } })
  }

  takeBack(one: Scheduled): Promise<void> {
    return this.#call(`/api/scheduled/${encodeURIComponent(one.id)}`, { method: 'DELETE' })
  }

  #call<T>(path: string, options: Call = {}): Promise<T> {
    return this.#api.call<T>(path, options)
  }
}

/** The words of a scheduled message. */
export function wordsOf(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n')
}

/** The same blocks with other words. */
export function reworded(blocks: readonly Block[], text: string): Block[] {
  const words: TextBlock[] = text === '' ? [] : [{ type: 'text', text }]
  return [...words, ...blocks.filter(({ type }) => type !== 'text')]
}
