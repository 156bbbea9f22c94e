import type { Call } from './http'
import type { Member, OfferedRoom, OpenRoom, Sharing } from './findingTypes'
import type { Paged, Room, RoomId, UserId } from './types'

/** As `Api.call`. */
export interface Calls {
  call<T>(path: string, options?: Call): Promise<T>
}

export interface NewRoom {
  kind: 'private' | 'open' | 'announcement'
  name: string
  reading: string
  topic: string
  history: 'all' | 'joined'
  /** Up to 50; the others are invited after. */
  members: UserId[]
}

export interface RoomChange {
  name?: string
  reading?: string
  topic?: string
  history?: 'all' | 'joined'
  outflow?: 'text' | 'view' | 'approve' | 'download'
  archived?: boolean
}

/** The protocol's limit of one invitation. */
export const INVITED_AT_ONCE = 50

const at = (room: RoomId, ...rest: string[]) => `/api/rooms/${[room, ...rest].map(encodeURIComponent).join('/')}`
const page = (limit: number, cursor: string | null) =>
  `?limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`

/** Rooms and who is in them. */
export const roomsApi = (api: Calls) => ({
  make: (room: NewRoom): Promise<Room> => api.call('/api/rooms', { method: 'POST', body: room }),
  direct: (user: UserId): Promise<Room> => api.call('/api/rooms/direct', { method: 'POST', body: { user } }),
  change: (room: RoomId, change: RoomChange): Promise<Room> => api.call(at(room), { method: 'PATCH', body: change }),
  open: (cursor: string | null): Promise<Paged<OpenRoom>> => api.call(`/api/rooms/open${page(100, cursor)}`),
  join: (room: RoomId): Promise<unknown> => api.call(at(room, 'join'), { method: 'POST' }),
  leave: (room: RoomId): Promise<unknown> => api.call(at(room, 'leave'), { method: 'POST' }),
  /** `q` as for people; everybody without. */
  members: (room: RoomId, cursor: string | null, q = ''): Promise<Paged<Member>> =>
    api.call(`${at(room, 'members')}${page(200, cursor)}${q === '' ? '' : `&q=${encodeURIComponent(q)}`}`),
  invite: (room: RoomId, users: UserId[], role?: Member['role']): Promise<unknown> =>
    api.call(at(room, 'members'), { method: 'POST', body: { users, ...(role === undefined ? {} : { role }) } }),
  appoint: (room: RoomId, user: UserId, role: Member['role']): Promise<unknown> =>
    api.call(at(room, 'members', user), { method: 'PATCH', body: { role } }),
  remove: (room: RoomId, user: UserId): Promise<unknown> => api.call(at(room, 'members', user), { method: 'DELETE' }),
  offered: (): Promise<Paged<OfferedRoom>> => api.call('/api/rooms/offered'),
  accept: (room: RoomId): Promise<Room> => api.call(at(room, 'organizations', 'mine'), { method: 'PUT' }),
  decline: (room: RoomId): Promise<unknown> => api.call(at(room, 'organizations', 'mine'), { method: 'DELETE' }),
  sharings: (room: RoomId): Promise<Paged<Sharing>> => api.call(at(room, 'organizations')),
  offer: (room: RoomId, organization: string): Promise<unknown> =>
    api.call(at(room, 'organizations'), { method: 'POST', body: { organization } }),
  endSharing: (room: RoomId, organization: string): Promise<unknown> =>
    api.call(at(room, 'organizations', organization), { method: 'DELETE' }),
})
