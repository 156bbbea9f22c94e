/**
 * What travels between the client and the server: docs/protocol.md in TypeScript.
 * Times are UTC milliseconds; ids are opaque strings. Unknown fields, event kinds and block types are ignored.
 */

export type RoomId = string
export type UserId = string
export type MessageId = string
export type AttachmentId = string

// --- people and rooms -------------------------------------------------------------------------------------------

export interface Person {
  id: UserId
  name: string
  reading: string
  department: string
  post: string
  kind: 'member' | 'guest' | 'bot'
  organization: string
  guest_of?: string
}

export interface Me {
  user: Person
  roles: string[]
  organization: { id: string; name: string }
  /** What clients keep to. `device_cache`: whether what was read may stay on the device. `memo_pad`: whether one has it in this zone. */
  rules?: { device_cache: 'allowed' | 'off' | (string & {}); memo_pad?: boolean }
  zone: string
  device: string
}

export type RoomKind = 'private' | 'open' | 'announcement' | 'direct' | 'memo'

export interface RoomInfo {
  id: RoomId
  kind: RoomKind | (string & {})
  name: string
  /** In kana; empty: none was given. What an older server or this device kept has none. */
  reading?: string
  topic: string
  history: string
  /** What zones that are less trusted get of its files. */
  outflow?: string
  archived: boolean
}

export interface Room extends RoomInfo {
  members: number
  /** Names of organizations and guests from outside: whom a post in the wrong room would reach. */
  outsiders: string[]
  role: 'owner' | 'member' | 'read_only'
  involvement: 'nothing' | 'mentions' | 'everything'
  head: number
  first: number
  read: number
  /** Counted by the server, up to 100. Never counted here. */
  unread: number
  mentioned: boolean
  last: { at: number; author: string; text: string } | null
  /** `levels`: of announcements, those that one may post. */
  can: { post: boolean; invite: boolean; manage: boolean; levels?: Level[] }
  home: string
  /** In a direct room alone: the other person. */
  with?: UserId
}

/** How much an announcement matters: 緊急, 重要, お知らせ. */
export type Level = 'urgent' | 'important' | 'notice'

// --- messages ---------------------------------------------------------------------------------------------------

export interface Author {
  id: UserId
  name: string
  department: string
  post: string
  kind: string
}

export interface TextBlock {
  type: 'text'
  v?: number
  text: string
}

export interface PhotosBlock {
  type: 'photos'
  v?: number
  ids: AttachmentId[]
}

export interface FilesBlock {
  type: 'files'
  v?: number
  ids: AttachmentId[]
}

export type Block = TextBlock | PhotosBlock | FilesBlock
/** A block of a later version of the protocol: shown by the message's plain `text`. */
export interface UnknownBlock {
  type: string
  v?: number
}

export interface Attachment {
  id: AttachmentId
  kind: 'photo' | 'file' | (string & {})
  name: string
  type: string
  size: number
  state: 'pending' | 'ready' | 'failed' | 'withdrawn'
  /** Of a file: whether there is something to look at. */
  preview?: 'none' | 'pending' | 'ready' | 'failed'
  /** Of a document, where known. */
  pages?: number
  /** Of the upright photo or of a file's preview; null while there is none. */
  width: number | null
  height: number | null
  /** Average colour, #rrggbb. */
  color: string | null
}

export interface Reaction {
  key: string
  count: number
  /** At most 50 of them. */
  users: UserId[]
}

export interface Message {
  id: MessageId
  seq: number
  ordinal: number
  at: number
  kind: string
  author: Author
  version?: number
  text?: string
  blocks?: (Block | UnknownBlock)[]
  mentions?: Record<string, string>
  quote?: { id: MessageId; seq: number }
  forward?: { author: string; department: string; at: number }
  attachments?: Attachment[]
  /** Until when everybody is asked to confirm it. */
  confirm?: { by: number }
  level?: Level
  edited?: number
  pinned?: boolean
  reactions?: Reaction[]
  redacted?: number
}

export interface MessagePage {
  messages: Message[]
  first: boolean
  head: number
}

/** Of saving a file here, where it takes an approval. lapsed: nobody decided in time, or what was approved of is over. */
export type TakeoutState = 'none' | 'asked' | 'approved' | 'refused' | 'lapsed'

export interface AttachmentAddress {
  id: AttachmentId
  name: string
  taken_at?: number
  place?: { latitude: number; longitude: number }
  addresses?: { thumbnail?: string; preview?: string; sanitized?: string; original?: string; passed?: string; flattened?: string; text?: string }
  /** The first pages' pictures, the first one included. */
  pages?: string[]
  expires: number
  refused?: { ja: string; en: string }
  /** It came from outside, and what was taken out of it is told (`filesApi`: report). */
  report?: true
  /** Saving it here takes an approval; without, none is needed, or none would help. */
  takeout?: TakeoutState
}

/** A row of a room's list of files and photos. */
export interface RoomAttachment {
  attachment: Attachment
  message: MessageId
  seq: number
  at: number
  author: Author
}

export interface Paged<T> {
  items: T[]
  next: string | null
}

// --- events -----------------------------------------------------------------------------------------------------

interface At {
  seq: number
  at: number
}

export type RoomEvent = { op: 'event'; room: RoomId; by?: UserId } & At &
  (
    | { kind: 'message'; message: Message }
    | { kind: 'edit'; target: number; message: Message }
    | { kind: 'redaction'; target: number; id: MessageId; how: string }
    | { kind: 'reaction'; target: number; id: MessageId; user: UserId; key: string; on: boolean }
    | { kind: 'pin'; target: number; id: MessageId; on: boolean }
    | { kind: 'membership'; user: Person; change: string; role: string }
    | { kind: 'room'; room_info: RoomInfo }
    | { kind: 'attachment'; target: number; id: MessageId; attachment: Attachment }
    | { kind: 'note'; id: string; title: string; version: number; what: 'created' | 'changed' | 'deleted' }
    | { kind: 'stub' }
  )

export type MeEvent = { op: 'me' } & At &
  (
    | { kind: 'room_gained'; room: RoomId }
    | { kind: 'room_lost'; room: RoomId }
    | { kind: 'read'; room: RoomId; upto: number }
    | { kind: 'involvement'; room: RoomId; involvement: Room['involvement'] }
    | { kind: 'bookmark'; message: MessageId; room: RoomId; on: boolean }
    | { kind: 'confirmed'; room: RoomId; message: MessageId }
    | { kind: 'confirm_again'; room: RoomId; message: MessageId; by: number }
    | { kind: 'scheduled'; id: string; room: RoomId; what: 'made' | 'changed' | 'removed' | 'sent' | 'failed' }
    | { kind: 'devices' }
    | { kind: 'directory'; version: number }
    | { kind: 'profile' }
    | { kind: 'stub' }
  )

/** Told in passing to those who look or watch, never stored: what is missed is asked for. */
export type Passing =
  | { op: 'presence'; user: UserId; state: PresenceState }
  | { op: 'receipt'; room: RoomId; user: UserId; upto: number }
  | { op: 'receipts'; room: RoomId; upto: [seq: number, members: number][] }
  | { op: 'confirmations'; room: RoomId; confirmed: Record<MessageId, number> }

// --- commands and their answers ---------------------------------------------------------------------------------

export type Command =
  | { op: 'auth'; token: string }
  | { op: 'renew'; token: string }
  | { op: 'ping' }
  | { op: 'resume'; epoch: string | null; me: number; rooms: Record<RoomId, number> }
  | { op: 'pull'; room?: RoomId; after: number; limit?: number }
  | { op: 'send'; room: RoomId; client_msg_id: string; blocks: Block[]; quote?: MessageId; confirm?: number; level?: Level }
  | { op: 'look'; room: RoomId | null }
  | { op: 'read'; room: RoomId; upto: number }
  | { op: 'involve'; room: RoomId; involvement: Room['involvement'] }
  | { op: 'watch'; users: UserId[] }
  | Change

/** What is done to a message that was sent. */
export type Change =
  | { op: 'edit'; message: MessageId; version: number; blocks: (Block | UnknownBlock)[] }
  | { op: 'redact'; message: MessageId; how: 'redacted' | 'cancelled' }
  | { op: 'react'; message: MessageId; key: string; on: boolean }
  | { op: 'pin'; message: MessageId; on: boolean }
  | { op: 'bookmark'; message: MessageId; on: boolean }

export interface Hello {
  op: 'hello'
  ref: number
  protocol: number
  epoch: string
  features: string[]
  time: number
  expires: number
  zone: string
  device: string
  me: { id: UserId; name: string }
  limits: Limits
}

export interface Limits {
  frame_bytes: number
  depth: number
  text_chars: number
  photos: number
  unanswered: number
  photo_bytes: number
  /** Files in a message, and bytes of one; absent where the server takes none. */
  files?: number
  file_bytes?: number
}

export type StreamState = 'live' | 'replay' | 'resync' | 'gone'

export interface Resumed {
  op: 'resumed'
  ref: number
  epoch: string
  me: { head: number; state: StreamState }
  rooms: Record<RoomId, { head: number; state: StreamState }>
}

export interface Page {
  op: 'page'
  ref: number
  room?: RoomId
  events: (RoomEvent | MeEvent)[]
  head: number
  live: boolean
}

export interface Ack {
  op: 'ack'
  ref: number
  room?: RoomId
  id?: MessageId
  seq?: number
  at?: number
  upto?: number
  replay?: boolean
}

export interface Result {
  op: 'result'
  ref: number
  expires?: number
  /** Of `watch`. */
  presence?: Record<UserId, PresenceState>
}

export type PresenceState = 'online' | 'offline'

export interface ProblemBody {
  code: number
  name: string
  field: string | null
  params: Record<string, unknown>
  ja: string
  en: string
}

export type ErrorFrame = { op: 'error'; ref?: number } & ProblemBody
export type Answer = Hello | Resumed | Page | Ack | Result
/** Anything the server may push; operations of later versions are ignored by `op`. */
export type ServerFrame = Answer | ErrorFrame | RoomEvent | MeEvent | Passing

export type AnswerTo<C extends Command> = C extends { op: 'auth' }
  ? Hello
  : C extends { op: 'resume' }
    ? Resumed
    : C extends { op: 'pull' }
      ? Page
      : C extends { op: 'send' | 'read' | 'involve' | Change['op'] }
        ? Ack
        : Result

// --- sessions ---------------------------------------------------------------------------------------------------

export interface Session {
  access_token: string
  access_expires: number
  refresh_token: string
  refresh_expires: number
  device: string
  user: UserId
}

export interface SignInStep {
  flow: string | null
  next: string[]
  session: Session | null
}
