import { call, type Call, type Fetch, type Reply } from './http'
import { newKey } from './ids'
import { Problem } from './problem'
import type {
  AttachmentAddress,
  AttachmentId,
  Me,
  Message,
  MessageId,
  MessagePage,
  Paged,
  Person,
  Room,
  RoomAttachment,
  RoomId,
  UserId,
} from './types'

export interface ApiTokens {
  ready(minimum: number): string | null
  token(minimum: number): Promise<string>
  replace(refused: string): Promise<string>
}

/** Which of a room's files and photos; times are UTC milliseconds, since ≤ at < until. */
export interface AttachmentQuery {
  kind?: 'photo' | 'file'
  by?: UserId
  since?: number
  until?: number
  limit?: number
  cursor?: string
}

/** The HTTP part of the protocol, for a person who is signed in. */
export class Api {
  readonly base: string
  readonly tokens: ApiTokens
  readonly #fetch: Fetch

  constructor(base: string, tokens: ApiTokens, fetcher: Fetch = (...call) => fetch(...call)) {
    this.base = base
    this.tokens = tokens
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

  messagesAfter(room: RoomId, limit: number, seq: number): Promise<MessagePage> {
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/messages?limit=${limit}&after=${seq}`)
  }

  messagesAround(room: RoomId, limit: number, seq: number): Promise<MessagePage> {
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/messages?limit=${limit}&around=${seq}`)
  }

  /** Around the first message of a time or later. */
  messagesAt(room: RoomId, limit: number, at: number): Promise<MessagePage> {
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/messages?limit=${limit}&at=${at}`)
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

  /** Newest first. */
  attachments(room: RoomId, query: AttachmentQuery): Promise<Paged<RoomAttachment>> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    const asked = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/attachments?${asked}`)
  }

  members(room: RoomId, cursor?: string): Promise<Paged<Person>> {
    const after = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/members?limit=200${after}`)
  }

  /** The newest pin first. */
  pins(room: RoomId): Promise<Paged<Message>> {
    return this.#get(`/api/rooms/${encodeURIComponent(room)}/pins`)
  }

  bookmarks(cursor?: string): Promise<Paged<{ room: RoomId; message: Message; at: number }>> {
    return this.#get(`/api/me/bookmarks?limit=200${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
  }

  /** The departments of one's own organization, in their order; none for guests. */
  directory(): Promise<{ version: number; departments: { id: string; name: string; parent: string | null; position: number }[] }> {
    return this.#get('/api/directory')
  }

  person(user: UserId): Promise<Person> {
    return this.#get(`/api/people/${encodeURIComponent(user)}`)
  }

  /** What was sent cannot be opened by anybody any more; what was not sent is removed. */
  async withdraw(attachment: AttachmentId): Promise<void> {
    await this.#call(`/api/attachments/${encodeURIComponent(attachment)}`, { method: 'DELETE' })
  }

  /** Gives up an upload that is not complete; `path` as `FileJob.created` told it. */
  async abandon(path: string): Promise<void> {
    await this.#call(path, { method: 'DELETE' })
  }

  /** For the calls of an area of its own: `roomsApi`, `accountApi`, `adminApi`. */
  async call<T>(path: string, options: Call = {}): Promise<T> {
    return (await this.#call<T>(path, options)).body
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#call<T>(path)).body
  }

  /** Does `act` with a token that is good for a while. */
  authorized<T>(act: (token: string) => Promise<T>): Promise<T> {
    return authorized(this.tokens, 60_000, act)
  }

  async #call<T>(path: string, options: Call = {}): Promise<Reply<T>> {
    if (options.method !== undefined && options.method !== 'GET') options = { key: newKey(), ...options }
    return authorized(this.tokens, 5_000, (token) => call<T>(this.base, path, { ...options, token }, this.#fetch))
  }
}

/** Does `act` with a token that lives `minimum` milliseconds more, and once again with another if that one is refused. */
export async function authorized<T>(
  tokens: ApiTokens,
  minimum: number,
  act: (token: string) => Promise<T>,
): Promise<T> {
  // Without a turn of the loop where it is at hand: what is asked for is on its way before the page draws.
  const token = tokens.ready(minimum) ?? (await tokens.token(minimum))
  try {
    return await act(token)
  } catch (error) {
    if (!refusedToken(error)) throw error
    return act(await tokens.replace(token))
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
