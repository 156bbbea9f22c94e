import type { Attachment, Author, MessageId, Person, Room, RoomId } from './types'

// What is found: people, departments, rooms that one may join, and what was said.

/** Of a room's list: who is in it, and as what. */
export interface Member extends Person {
  role: Room['role']
}

/** An open room that one may join. */
export interface OpenRoom {
  id: RoomId
  name: string
  reading: string
  topic: string
  history: string
  members: number
}

/** A room that another organization offers to one's own. */
export interface OfferedRoom {
  id: RoomId
  name: string
  topic: string
  home: string
  at: number
}

/** An organization that a room is offered to, or open for. */
export interface Sharing {
  id: string
  name: string
  state: 'offered' | 'open'
  at: number
}

/** A node of one's organization, in department order; `people` count everybody in it and below. */
export interface Department {
  id: string
  name: string
  parent: string | null
  position: number
  people?: number
}

export interface PersonDetail extends Person {
  appointments: {
    department: { id: string; name: string }
    kind: 'main' | 'concurrent' | 'joint' | 'annual'
    post: string
    starts_at: number
    ends_at: number | null
  }[]
  former_name?: string
  disabled?: boolean
}

export type FoundKind = 'message' | 'photo' | 'file' | 'document' | 'note'

/** A hit of a search. A note has `note`, and neither `message` nor `seq`. */
export interface Found {
  room: RoomId
  message: MessageId | null
  seq: number | null
  note: { id: string; title: string } | null
  at: number
  author: Author
  kind: FoundKind
  attachment: Attachment | null
  excerpt: { text: string; hit: boolean }[]
}
