import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Api, AttachmentQuery } from '../src/protocol/api'
import { Problem, Unreachable } from '../src/protocol/problem'
import type { Attachment, AttachmentAddress, Limits, Message, Paged, RoomAttachment, RoomEvent } from '../src/protocol/types'
import { until } from './support/until'

vi.stubEnv('TZ', 'Asia/Tokyo')

const LIMITS: Limits = {
  frame_bytes: 65_536,
  depth: 16,
  text_chars: 20_000,
  photos: 2,
  unanswered: 64,
  photo_bytes: 100,
  files: 2,
  file_bytes: 1000,
}
const author = { id: 'u1', name: '高橋 健', department: '道路課', post: '主事', kind: 'member' }
const attachment = (id: string, extra: Partial<Attachment> = {}): Attachment => ({
  id,
  kind: 'file',
  name: `${id}.pdf`,
  type: 'application/pdf',
  size: 10,
  state: 'ready',
  width: null,
  height: null,
  color: null,
  ...extra,
})
const row = (id: string, extra: Partial<RoomAttachment> = {}): RoomAttachment => ({
  attachment: attachment(id),
  message: `message of ${id}`,
  seq: 1,
  at: Date.UTC(2026, 10, 22, 3),
  author,
  ...extra,
})

// The words need a page to know their language from.
const pages = vi.hoisted(() => {
  const page = { documentElement: { lang: '' }, createElement: () => ({}) as Record<string, unknown> }
  Object.assign(globalThis, { document: page, localStorage: { getItem: () => null, setItem: () => undefined } })
  return page
})

const { Draft } = await import('../src/state/drafts.svelte')
const { Opening } = await import('../src/state/opening.svelte')
const { RoomFiles } = await import('../src/state/roomFiles.svelte')

describe('what is picked', () => {
  const picked = (name: string, size = 1, type = '') => new File(['x'.repeat(size)], name, { type })

  it('is a photo where the server shows it as one, and a file otherwise', () => {
    const draft = new Draft()
    const files = draft.add(
      [picked('1.jpg', 1, 'image/jpeg'), picked('2.heic'), picked('図.tif', 1, 'image/tiff'), picked('x.pdf')],
      LIMITS,
    )
    expect(draft.photos.map(({ name }) => name)).toEqual(['1.jpg', '2.heic'])
    expect(files.map(({ name }) => name)).toEqual(['図.tif', 'x.pdf'])
    expect(draft.notice).toBe('')
  })

  it('goes as a file when it is too heavy for a photo', () => {
    const draft = new Draft()
    expect(draft.add([picked('大.jpg', 101, 'image/jpeg')], LIMITS)).toHaveLength(1)
    expect(draft.photos).toEqual([])
  })

  it('is told to be too much or too many', () => {
    const draft = new Draft()
    expect(draft.add([picked('大.zip', 1001)], LIMITS)).toEqual([])
    expect(draft.notice).toContain('「大.zip」は1 KBを超えるため')
    expect(draft.add([picked('1.pdf'), picked('2.pdf'), picked('3.pdf')], LIMITS)).toHaveLength(2)
    expect(draft.notice).toBe('ファイルは一度に2件までです。残りは次のメッセージで送ってください。')
  })

  it('is told to be nothing for a server that takes photos alone', () => {
    const draft = new Draft()
    const { files: _, file_bytes: __, ...old } = LIMITS
    expect(draft.add([picked('x.pdf')], old)).toEqual([])
    expect(draft.notice).toContain('「x.pdf」は添付できません。')
  })

  it('counts while it is still being looked at', () => {
    const draft = new Draft()
    draft.arriving = 1
    expect(draft.empty).toBe(false)
  })
})

describe('a room’s list', () => {
  function list(answer: (query: AttachmentQuery) => Promise<Paged<RoomAttachment>>) {
    const asked: AttachmentQuery[] = []
    const api = {
      members: async () => ({ items: [], next: null }),
      attachments: (_: string, query: AttachmentQuery) => (asked.push(query), answer(query)),
    } as unknown as Api
    return { list: new RoomFiles('room', api), asked }
  }
  const ids = (files: InstanceType<typeof RoomFiles>) => files.items.map((one) => one.attachment.id)
  const event = (rest: object): RoomEvent => ({ op: 'event', room: 'room', seq: 9, at: 9, ...rest }) as unknown as RoomEvent

  it('grows by pages until there is no more', async () => {
    const { list: files, asked } = list(async ({ cursor }) =>
      cursor === undefined ? { items: [row('c'), row('b')], next: 'n1' } : { items: [row('b'), row('a')], next: null },
    )
    await files.start()
    expect([ids(files), files.complete]).toEqual([['c', 'b'], false])
    await files.more()
    expect([ids(files), files.complete]).toEqual([['c', 'b', 'a'], true])
    await files.more()
    expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, 'n1'])
  })

  it('asks by kind, person and the reader’s own day', async () => {
    const { list: files, asked } = list(async () => ({ items: [], next: null }))
    await files.narrow({ kind: 'photo', by: 'u1', day: '2026-11-22' })
    expect(asked[0]).toMatchObject({
      kind: 'photo',
      by: 'u1',
      since: Date.UTC(2026, 10, 21, 15),
      until: Date.UTC(2026, 10, 22, 15),
    })
    expect(files.narrowed).toBe(true)
  })

  it('drops an answer to an older question', async () => {
    let slow: ((page: Paged<RoomAttachment>) => void) | undefined
    const { list: files } = list(({ kind }) =>
      kind === undefined ? new Promise((resolve) => (slow = resolve)) : Promise.resolve({ items: [row('new')], next: null }),
    )
    const first = files.load()
    await files.narrow({ kind: 'file' })
    slow!({ items: [row('old')], next: null })
    await first
    expect(ids(files)).toEqual(['new'])
  })

  it('stays true while it is open', async () => {
    const { list: files } = list(async () => ({ items: [row('a')], next: null }))
    await files.narrow({ kind: 'file' })
    const message = { id: 'm2', seq: 9, at: 9, author, attachments: [attachment('b'), attachment('p', { kind: 'photo' })] }
    files.happened(event({ kind: 'message', message: message as Partial<Message> }))
    expect(ids(files)).toEqual(['b', 'a'])
    files.happened(event({ kind: 'attachment', target: 1, id: 'm', attachment: attachment('a', { state: 'withdrawn' }) }))
    expect(files.items[1]!.attachment.state).toBe('withdrawn')
    files.happened(event({ kind: 'redaction', target: 9, id: 'm2', how: 'redacted' }))
    expect(ids(files)).toEqual(['a'])
    files.happened({ ...event({ kind: 'message', message }), room: 'another' } as RoomEvent)
    expect(ids(files)).toEqual(['a'])
  })

  it('says when it cannot be had', async () => {
    const { list: files } = list(() => Promise.reject(new Unreachable('no line')))
    await files.start()
    expect(files.status).toBe('failed')
  })
})

describe('saving a file', () => {
  const addresses = (...items: Partial<AttachmentAddress>[]) =>
    ({ addresses: async () => ({ value: items, time: null }) }) as unknown as Api
  let clicked: Record<string, unknown>[]
  let answers: Response[]
  const fetched: { path: string; range: string | null }[] = []

  beforeEach(() => {
    clicked = []
    fetched.length = 0
    answers = [new Response('x', { status: 206 })]
    pages.createElement = () => {
      const link = { click: () => clicked.push(link) } as Record<string, unknown>
      return link
    }
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      fetched.push({ path, range: new Headers(init.headers).get('range') })
      return answers.shift()!
    })
  })

  afterEach(() => vi.unstubAllGlobals())

  it('asks for an address of its own and tries it before the browser does', async () => {
    const opening = new Opening(addresses({ id: 'a', addresses: { original: '/files/x' } }))
    await opening.save(attachment('a'))
    expect(fetched).toEqual([{ path: '/files/x', range: 'bytes=0-0' }])
    expect(clicked).toMatchObject([{ href: '/files/x', download: 'a.pdf' }])
    expect(opening.said('a')).toBe('')
  })

  it('says why not: gone, refused, dead, no line', async () => {
    const said = async (api: Api) => {
      const opening = new Opening(api)
      await opening.save(attachment('a'))
      return opening.said('a')
    }
    expect(await said(addresses())).toContain('見つかりません')
    expect(await said(addresses({ refused: { ja: '無害化が済むまで', en: '' }, addresses: { preview: '/files/p' } }))).toBe(
      '無害化が済むまで',
    )
    expect(await said(addresses({ addresses: {} }))).toContain('まだ保存できません')
    const dead = { error: { code: 5006, name: 'x', field: null, params: {}, ja: '期限切れです', en: '' } }
    answers = [new Response(JSON.stringify(dead), { status: 404 })]
    expect(await said(addresses({ addresses: { original: '/files/x' } }))).toBe('期限切れです')
    const lost = { addresses: () => Promise.reject(new Unreachable('x')) } as unknown as Api
    expect(await said(lost)).toContain('ネットワークを確認して')
    expect(clicked).toEqual([])
  })

  it('takes an empty file for what it is', async () => {
    answers = [new Response(null, { status: 416 })]
    const opening = new Opening(addresses({ addresses: { original: '/files/x' } }))
    await opening.save(attachment('a'))
    expect(clicked).toHaveLength(1)
  })

  it('reads the beginning of a text, whole characters only', async () => {
    const bytes = new TextEncoder().encode('道路').slice(0, 5)
    answers = [new Response(bytes, { status: 206, headers: { 'content-range': 'bytes 0-4/900000' } })]
    const opening = new Opening(addresses({ addresses: { text: '/files/t' } }))
    expect(await opening.read('a')).toEqual({ text: '道', whole: false })
  })

  it('withdraws, and says what the server says to it', async () => {
    const problem = new Problem({ code: 2008, name: 'x', field: null, params: {}, ja: '権限がありません', en: '' })
    const withdraw = vi.fn(() => Promise.reject(problem))
    const opening = new Opening({ withdraw } as unknown as Api)
    const done = opening.withdraw('a')
    expect(opening.act('a')).toBe('withdrawing')
    await done
    await until(() => opening.act('a') === undefined)
    expect(opening.said('a')).toBe('権限がありません')
  })
})
