import type { Api } from './api'
import type { Message, MessageId, RoomId, UserId } from './types'

/** What bots post besides words, photos and files; people cannot write it. */

export interface CardBlock {
  type: 'card'
  title: string
  text?: string
  rows?: [label: string, value: string][]
  state?: '' | 'open' | 'done' | 'stopped' | 'urgent'
}

/** Words to take along in one tap. */
export interface CopyBlock {
  type: 'copy'
  text: string
}

export interface BotButton {
  key: string
  label: string
  style?: '' | 'primary' | 'danger'
  /** A question to put before it is pressed. */
  ask?: string
}

export interface ButtonsBlock {
  type: 'buttons'
  buttons: BotButton[]
}

export interface FormField {
  key: string
  label: string
  kind?: 'line' | 'lines' | 'choice' | 'choices' | 'number' | 'date'
  choices?: string[]
  required?: boolean
}

export interface FormBlock {
  type: 'form'
  title: string
  fields: FormField[]
  send?: string
  open?: boolean
  /** Nobody learns who answered what. */
  secret?: boolean
}

export type BotBlock = CardBlock | CopyBlock | ButtonsBlock | FormBlock

/** Of a form: words by field, or a list of them where several can be chosen. */
export type Values = Record<string, string | string[]>

/** What a bot of the room understands: `text` begins a message to it, and is the whole of it where `whole` is true. */
export interface BotOffer {
  label: string
  text: string
  example: string
  whole: boolean
}

export interface RoomBot {
  user: UserId
  name: string
  offers: BotOffer[]
}

const OF_BOTS = new Set(['card', 'copy', 'buttons', 'form'])
const OF_PEOPLE = new Set(['text', 'photos', 'files'])

export function isBotBlock(block: { type: string }): block is BotBlock {
  return OF_BOTS.has(block.type)
}

/** Whether it has blocks of bots and none of a later version: those say what they say in the message's plain text alone. */
export function hasBotBlocks({ blocks = [] }: Message): boolean {
  const known = blocks.every(({ type, v }) => (OF_BOTS.has(type) || OF_PEOPLE.has(type)) && (v ?? 1) === 1)
  return known && blocks.some(isBotBlock)
}

const at = (message: MessageId, what: string) => `/api/messages/${encodeURIComponent(message)}/${what}`

/** The bot is told; what it makes of it comes as events. The same `idempotency` presses once, however often it is sent. */
export async function press(api: Api, message: MessageId, key: string, idempotency: string): Promise<void> {
  await api.call(at(message, 'press'), { method: 'POST', body: { key }, key: idempotency })
}

/** In the place of one's former answer; resolves to what is kept. */
export async function answer(api: Api, message: MessageId, values: Values): Promise<Values> {
  const kept = await api.call<{ values: Values | null }>(at(message, 'answer'), { method: 'PUT', body: { values } })
  return kept.values ?? {}
}

/** Null before the first one. */
export async function ownAnswer(api: Api, message: MessageId): Promise<Values | null> {
  return (await api.call<{ values: Values | null }>(at(message, 'answer'))).values
}

export async function botsOf(api: Api, room: RoomId): Promise<RoomBot[]> {
  return (await api.call<{ items: RoomBot[] }>(`/api/rooms/${encodeURIComponent(room)}/bots`)).items
}
