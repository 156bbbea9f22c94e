import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../src/protocol/database'
import { printOf } from '../src/protocol/print'
import { Problem, Unreachable } from '../src/protocol/problem'
import { fileStore } from '../src/protocol/sends'
import { Transfers, type TransferOptions } from '../src/protocol/transfers'
import type { FileJob } from '../src/protocol/tus'
import type { Attachment } from '../src/protocol/types'
import { until } from './support/until'

let database: Promise<Database>
let count = 0
const all: Transfers[] = []

beforeEach(() => {
  database = openDatabase(`transfers-${++count}`)
})

afterEach(async () => {
  all.splice(0).forEach((transfers) => transfers.stop())
  ;(await database).close()
})

const file = (name: string, bytes: string, lastModified = 1) => new File([bytes], name, { lastModified })
const problem = (code: number, params = {}) =>
  new Problem({ code, name: 'x', field: null, params, ja: `${code}の説明`, en: `about ${code}` })
const stored = async () => (await database).getAll('files')

/** A server's side of uploads that does what the test says. */
function line() {
  const jobs: FileJob[] = []
  const open: { job: FileJob; resolve(attachment: Attachment): void; reject(error: Error): void }[] = []
  return {
    jobs,
    open,
    at: (name: string) => open.find(({ job }) => job.name === name),
    send: (job: FileJob) =>
      new Promise<Attachment>((resolve, reject) => {
        jobs.push(job)
        const entry = {
          job,
          resolve: (attachment: Attachment) => (open.splice(open.indexOf(entry), 1), resolve(attachment)),
          reject: (error: Error) => (open.splice(open.indexOf(entry), 1), reject(error)),
        }
        open.push(entry)
        job.signal.addEventListener('abort', () => entry.reject(new Unreachable('stopped')))
      }),
  }
}

function transfers(net: ReturnType<typeof line>, options: Partial<TransferOptions> = {}) {
  const givenUp: unknown[] = []
  const made = new Transfers({
    user: 'me',
    tab: 'tab-1',
    store: fileStore(database),
    send: net.send,
    giveUp: (what) => void givenUp.push(what),
    tabs: async () => new Set(),
    changed: () => undefined,
    random: () => 0,
    small: 10,
    ...options,
  })
  all.push(made)
  return Object.assign(made, { givenUp })
}

const DONE = { id: 'a1' } as Attachment
const never = new AbortController().signal

describe('a file', () => {
  it('goes up at once, and is ready', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('図面.pdf', 'x'.repeat(20)))
    await until(() => net.open.length)
    expect(files.get(key)).toMatchObject({ state: 'moving', size: 20 })
    net.open[0]!.job.progress(5)
    expect(files.get(key)).toMatchObject({ sent: 5 })
    const ready = files.ready(key, never)
    net.open[0]!.resolve(DONE)
    expect(await ready).toBe(DONE)
    expect(files.get(key)).toMatchObject({ state: 'ready', sent: 20 })
  })

  it('has its name in one form, however a Mac spells it', async () => {
    const files = transfers(line())
    const { name } = await files.add('room', file('か\u3099図.pdf', 'x'))
    expect(name).toBe('が図.pdf')
  })

  it('goes on where it was after a cut, and after it moved begins to count failures anew', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('a.bin', 'x'.repeat(20)))
    await until(() => net.open.length)
    net.open[0]!.job.created('/api/uploads/1')
    net.open[0]!.job.progress(7)
    net.open[0]!.reject(new Unreachable('cut'))
    await until(() => files.get(key)?.state === 'retrying')
    files.wake()
    await until(() => net.jobs.length === 2)
    expect(net.jobs[1]).toMatchObject({ path: '/api/uploads/1' })
  })

  it('is refused in words, and tried once more when the person says so', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('a.exe', 'x'))
    await until(() => net.open.length)
    net.open[0]!.reject(problem(5011))
    await until(() => files.get(key)?.state === 'failed')
    expect(files.get(key)!.problem).toMatchObject({ code: 5011, ja: '5011の説明' })
    files.again(key)
    await until(() => net.open.length)
    expect(files.get(key)).toMatchObject({ state: 'moving', problem: null })
  })

  it('waits as long as the server asks, and says why', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('a.bin', 'x'))
    await until(() => net.open.length)
    net.open[0]!.reject(problem(8002, { retry_after: 60 }))
    await until(() => files.get(key)?.state === 'retrying')
    expect(files.get(key)!.problem).toMatchObject({ code: 8002 })
  })

  it('is paused and resumed', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('a.bin', 'x'))
    await until(() => net.open.length)
    files.pause(key)
    await until(() => net.open.length === 0)
    expect(files.get(key)!.state).toBe('paused')
    await until(async () => (await stored())[0]?.paused === true)
    files.wake()
    expect(net.jobs).toHaveLength(1)
    files.resume(key)
    await until(() => net.open.length)
    expect(files.get(key)!.state).toBe('moving')
  })

  it('that is cancelled is taken from the server, too', async () => {
    const net = line()
    const files = transfers(net)
    const { key } = await files.add('room', file('a.bin', 'x'))
    await until(() => net.open.length)
    net.open[0]!.job.created('/api/uploads/1')
    await files.cancel(key)
    expect(net.open).toEqual([])
    expect(files.givenUp).toEqual([{ path: '/api/uploads/1' }])
    expect(files.get(key)).toBeUndefined()
    expect(await stored()).toEqual([])
  })

  it('that cannot be read any more must be picked again', async () => {
    const net = line()
    const files = transfers(net)
    const gone = file('a.bin', 'x'.repeat(20))
    const { key } = await files.add('room', gone)
    await until(() => net.open.length)
    gone.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) }) as unknown as Blob
    net.open[0]!.reject(new Unreachable('cut'))
    await until(() => files.get(key)?.state === 'missing')
  })
})

describe('several files', () => {
  it('go two at a time, in their order', async () => {
    const net = line()
    const files = transfers(net)
    for (const name of ['1', '2', '3']) await files.add('room', file(name, name))
    await until(() => net.open.length === 2)
    expect(net.open.map(({ job }) => job.name)).toEqual(['1', '2'])
    net.at('2')!.resolve(DONE)
    await until(() => net.at('3'))
  })
})

describe('the page after', () => {
  it('goes on with a small file by itself', async () => {
    const net = line()
    const first = transfers(net)
    const { key } = await first.add('room', file('小.txt', 'small'))
    await until(() => net.open.length)
    net.open[0]!.job.created('/api/uploads/1')
    await until(async () => (await stored())[0]?.path !== undefined)
    first.stop()
    const second = transfers(net, { tab: 'tab-2' })
    expect(await second.restore()).toMatchObject([{ key, name: '小.txt' }])
    await until(() => net.jobs.length === 2)
    expect(net.jobs[1]!.path).toBe('/api/uploads/1')
    expect(await net.jobs[1]!.blob.text()).toBe('small')
  })

  it('asks for a large one again, takes no other, and goes on at the offset', async () => {
    const net = line()
    const first = transfers(net)
    const large = 'x'.repeat(30)
    const { key } = await first.add('room', file('大.zip', large))
    await until(() => net.open.length)
    net.open[0]!.job.created('/api/uploads/1')
    await until(async () => (await stored())[0]?.path !== undefined)
    expect((await stored())[0]!.blob).toBeUndefined()
    first.stop()
    const second = transfers(net, { tab: 'tab-2' })
    await second.restore()
    expect(second.get(key)!.state).toBe('missing')
    expect(await second.pick(key, file('大.zip', 'y'.repeat(30)))).toBe(false)
    expect(await second.awaited('another room', file('大.zip', large))).toBeUndefined()
    expect(await second.awaited('room', file('大.zip', large))).toBe(key)
    expect(await second.pick(key, file('大.zip', large))).toBe(true)
    await until(() => net.jobs.length === 2)
    expect(net.jobs[1]!.path).toBe('/api/uploads/1')
  })

  it('leaves alone what a living tab sends, and removes what another person left', async () => {
    const net = line()
    const living = transfers(net)
    await living.add('room', file('a', 'a'))
    const second = transfers(net, { tab: 'tab-2', tabs: async () => new Set(['tab-1', 'tab-2']) })
    expect(await second.restore()).toEqual([])
    expect(await stored()).toHaveLength(1)
    const other = transfers(net, { user: 'somebody else', tab: 'tab-3' })
    expect(await other.restore()).toEqual([])
    expect(await stored()).toEqual([])
  })

  it('still has what was complete', async () => {
    const net = line()
    const first = transfers(net)
    const { key } = await first.add('room', file('a', 'a'))
    await until(() => net.open.length)
    net.open[0]!.resolve(DONE)
    await until(async () => (await stored())[0]?.attachment !== undefined)
    first.stop()
    const second = transfers(net, { tab: 'tab-2' })
    await second.restore()
    expect(await second.ready(key, never)).toEqual(DONE)
    expect(net.jobs).toHaveLength(1)
  })
})

describe('a print', () => {
  it('tells files of one name and length apart', async () => {
    const pieces = (middle: string) => `${'a'.repeat(60_000)}${middle}${'c'.repeat(60_000)}`
    expect(await printOf(file('x', pieces('1')))).toBe(await printOf(file('x', pieces('1'))))
    expect(await printOf(file('x', pieces('1')))).not.toBe(await printOf(file('x', pieces('2'))))
    expect(await printOf(file('x', 'a', 1))).not.toBe(await printOf(file('x', 'a', 2)))
  })
})
