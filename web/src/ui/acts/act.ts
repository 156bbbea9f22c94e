import type { Message, Room } from '../../protocol/types'
import type { Client } from '../../state/client.svelte'
import type { Timeline } from '../../state/timeline.svelte'

/** Which message, where, and for whom. */
export interface ActContext {
  client: Client
  room: Room
  timeline: Timeline
  message: Message
}

/** Something that can be done with a message, in the menu of its row. What asks or shows more is opened in `overlay`. */
export interface Act {
  key: string
  label: string
  /** Cannot be undone: stands apart, in vermilion. */
  danger?: boolean
  run(): unknown
}

/** Answers null where it cannot be done with this message, or not by this person. */
export type Offer = (context: ActContext) => Act | null
