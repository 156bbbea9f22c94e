import type { Room } from '../../protocol/types'
import type { Client } from '../../state/client.svelte'
import { text } from '../../text/words.svelte'
import { mentions } from '../../text/words/mentions'

/** What is asked before something goes where it cannot be taken back from: a file to people outside, a call to hundreds. */
export interface Weighed {
  sentences: string[]
  /** The button's words. */
  go: string
}

/** From so many people on, a call is asked about. */
const MANY = 50

const counting = () => import('../../state/reach')

/** How many people `called` (`user:ID`, `department:ID`, `everyone`) reaches; where it cannot be known, all are meant. */
export async function reached(client: Client, room: Room, called: readonly string[]): Promise<number> {
  if (!called.some((one) => !one.startsWith('user:'))) return 0
  return counting().then(({ reachIn }) => reachIn(client, room, called), () => room.members - 1)
}

/** `count`: of people called. null: nothing is asked. */
export function weighed(room: Room, count: number, photos: number, files: number): Weighed | null {
  const words = text.words.composer
  const outsiders = room.outsiders.join(text.words.comma)
  const sentences: string[] = []
  let go = words.confirm
  if (outsiders !== '' && photos + files > 0) sentences.push(words.confirmFiles(outsiders, photos, files))
  if (count > MANY) {
    const { ask, askOutside, confirm } = text.of(mentions)
    sentences.push(outsiders === '' ? ask(count) : askOutside(count, outsiders))
    go = confirm(count)
  }
  return sentences.length === 0 ? null : { sentences, go }
}
