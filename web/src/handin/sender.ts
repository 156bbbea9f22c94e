import { Unreachable } from '../protocol/problem'
import { type FileSender, library, send } from '../protocol/tus'
import { FILES, type Handed } from './api'

/** One file by tus, under the visit's right; `seen` asks what the server has, for the last answer may be lost. */
export function sender(visit: string, seen: () => Promise<Handed[]>): FileSender<Handed> {
  const place = { base: '', path: FILES, scheme: 'Visit', token: async () => visit }
  return async (job) => {
    const path = await send(await library(), { ...place, base: location.origin }, visit, job, {})
    const found = (await seen()).find(({ id }) => path.endsWith(`/${id}`))
    if (found === undefined || found.state === 'coming') throw new Unreachable('not complete')
    return found
  }
}
