import { call, type Call, type Fetch, type Reply } from './http'
import { newKey } from './ids'
import { Problem } from './problem'
import type { AttachmentAddress, AttachmentId, Me, Message, MessageId, MessagePage, Room, RoomId } from './types'

export interface ApiTokens {
  token(minimum: number): Promise<string>
  replace(refused: string): Promise<string>
}

/** The HTTP part of the protocol, for a person who is signed in. */
export class Api {
  readonly #base: string
  readonly #tokens: ApiTokens
  readonly #fetch: Fetch

  constructor(base: string, tokens: ApiTokens, fetcher: Fetch = (...call) => fetch(...call)) {
    this.#base = base
    this.#tokens = tokens
    this.#fetch = fetcher
  }

  me(): Promise<Me> {
    return this.#get('/api/me')
  }

  rooms(): Promise<Room[]> {
    return this.#get('/api/rooms')
  }

  room(room: RoomId): Promise<Room> {
    return this.#get(`/api/rooms/${encodeURIComponent(room)}`)
  }

  /** Oldest first; `before` is a seq, the newest without it. */
  messages(room: RoomId, limit: number, before?: number): Promise<MessagePage> {
    const query = before === undefined ? `limit=${limit}` : `limit=${limit}&before=${before}`
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/messages?${query}`)
  }

  message(message: MessageId): Promise<{ room: RoomId; message: Message }> {
    return this.#get(`/api/messages/${encodeURIComponent(message)}`)
  }

  /** At most 100 ids. The addresses are permissions for 10–20 minutes: keep them out of logs. */
  async addresses(ids: AttachmentId[]): Promise<Timed<AttachmentAddress[]>> {
    const reply = await this.#call<{ items: AttachmentAddress[] }>('/api/attachments/addresses', {
      method: 'POST',
      body: { ids },
    })
    return { value: reply.body.items, time: reply.time }
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#call<T>(path)).body
  }

  async #call<T>(path: string, options: Call = {}): Promise<Reply<T>> {
    if (options.method !== undefined && options.method !== 'GET') options = { key: newKey(), ...options }
    const token = await this.#tokens.token(5_000)
    try {
      return await call<T>(this.#base, path, { ...options, token }, this.#fetch)
    } catch (error) {
      if (!refusedToken(error)) throw error
      return call<T>(this.#base, path, { ...options, token: await this.#tokens.replace(token) }, this.#fetch)
    }
  }
}

export interface Timed<T> {
  value: T
  /** The server's clock; null when unknown. */
  time: number | null
}

/** 1003 and 1004: the token is missing, expired or signed with a retired key; another one may do. */
export function refusedToken(error: unknown): boolean {
  return error instanceof Problem && (error.code === 1003 || error.code === 1004)
}
