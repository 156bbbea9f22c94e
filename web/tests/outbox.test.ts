import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../src/protocol/database'
import { Outbox, type OutboxOptions } from '../src/protocol/outbox'
import type { Pending } from '../src/protocol/pending'
import { Problem, Unreachable } from '../src/protocol/problem'
import { sendStore } from '../src/protocol/sends'
import { SignedOut } from '../src/protocol/session'
import type { Ack, Attachment, Block } from '../src/protocol/types'
import { until } from './support/until'

let database: Promise<Database>
let count = 0
const boxes: Outbox[] = []

beforeEach(() => {
  database = openDatabase(`outbox-${++count}`)
})

afterEach(async () => {
  boxes.splice(0).forEach((box) => box.stop())
  ;(await database).close()
})

interface Sent {
  room: string
  id: string
  blocks: Block[]
}

const problem = (code: number, params = {}) =>
  new Problem({ code, name: 'x', field: null, params, ja: `${code}の説明`, en: `about ${code}` })

function world() {
  const sent: Sent[] = []
  const uploaded: { key: string; name: string; bytes: string }[] = []
  const committed = new Map<string, string>()
  const behaviour = {
    /** What happens to a send or an upload; undefined lets it through. */
    send: (_: Sent): Error | undefined => undefined,
    loseAck: (_: Sent): boolean => false,
    upload: (_: { key: string; name: string }): Error | undefined => undefined,
    hold: null as Promise<void> | null,
  }
  let serial = 0
  const attachments = new Map<string, Attachment>()
  return {
    sent,
    uploaded,
    committed,
    behaviour,
    async send(room: string, id: string, blocks: Block[]): Promise<Ack> {
      const attempt = { room, id, blocks }
      sent.push(attempt)
      if (behaviour.hold !== null) await behaviour.hold
      const error = behaviour.send(attempt)
      if (error !== undefined) throw error
      const known = committed.get(id)
      if (known !== undefined && known !== JSON.stringify(blocks)) throw problem(4003)
      committed.set(id, JSON.stringify(blocks))
      if (behaviour.loseAck(attempt)) throw new Unreachable('ack lost')
      return { op: 'ack', ref: 1, room, id: `message-${id}`, seq: committed.size, at: 0 }
    },
    async upload(upload: { key: string; name: string; blob: Blob }): Promise<Attachment> {
      uploaded.push({ key: upload.key, name: upload.name, bytes: await upload.blob.text() })
      const error = behaviour.upload(upload)
      if (error !== undefined) throw error
      const known = attachments.get(upload.key) ?? ({ id: `attachment-${++serial}` } as Attachment)
      attachments.set(upload.key, known)
      return known
    },
  }
}

/** Files that are complete when the test says so. */
function keeper() {
  const waiting = new Map<string, { resolve(attachment: Attachment): void; reject(error: unknown): void }>()
  const did: string[] = []
  return {
    did,
    finish: (key: string) => waiting.get(key)!.resolve({ id: `file-${key}` } as Attachment),
    waiting,
    ready: (key: string, signal: AbortSignal) =>
      new Promise<Attachment>((resolve, reject) => {
        waiting.set(key, { resolve, reject })
        signal.addEventListener('abort', () => reject(new Unreachable('stopped')))
      }),
    renew: (key: string) => void did.push(`renew ${key}`),
    forget: async (key: string) => void did.push(`forget ${key}`),
    cancel: async (key: string) => void did.push(`cancel ${key}`),
  }
}

function outbox(net: ReturnType<typeof world>, options: Partial<OutboxOptions> = {}) {
  const acks: { item: Pending; ack: Ack }[] = []
  const box = new Outbox({
    user: 'me',
    tab: 'tab-1',
    store: sendStore(database),
    upload: net.upload,
    files: keeper(),
    send: net.send,
    tabs: async () => new Set(),
    changed: () => undefined,
    acknowledged: (item, ack) => acks.push({ item, ack }),
    random: () => 0,
    ...options,
  })
  boxes.push(box)
  return { box, acks }
}

/** A world that also writes down what was asked for with each message. */
function wishing() {
  const net = world()
  const wished: unknown[] = []
  const send: OutboxOptions['send'] = (room, id, blocks, _, wishes) => {
    wished.push(wishes)
    return net.send(room, id, blocks)
  }
  return { net, wished, send }
}

const stored = async () => (await database).getAll('sends')
const text = (room: string, text: string) => ({ room, text, photos: [] })
const photos = (...names: string[]) => names.map((name) => ({ name, blob: new Blob([`bytes of ${name}`]) }))
const texts = (sent: Sent[]) => sent.map(({ blocks }) => (blocks[0] as { text: string }).text)

describe('a message', () => {
  it('is sent, acknowledged, and forgotten', async () => {
    const net = world()
    const { box, acks } = outbox(net)
    const id = await box.add(text('a', '倒木です'))
    await until(() => acks.length)
    expect(net.sent).toEqual([{ room: 'a', id, blocks: [{ type: 'text', text: '倒木です' }] }])
    expect(acks[0]!.ack.id).toBe(`message-${id}`)
    await until(async () => (await stored()).length === 0)
    expect(box.size).toBe(0)
  })

  it('is on the disk before add resolves', async () => {
    const net = world()
    net.behaviour.send = () => new Unreachable('no connection')
    const { box } = outbox(net)
    const id = await box.add(text('a', 'x'))
    expect((await stored()).map(({ client_msg_id }) => client_msg_id)).toEqual([id])
  })

  it('is repeated with the same id and content until it is acknowledged', async () => {
    const net = world()
    let lost = 0
    net.behaviour.loseAck = () => lost++ < 2
    const { box, acks } = outbox(net)
    const id = await box.add({ room: 'a', text: 'x', photos: photos('1.jpg', '2.jpg') })
    await until(() => acks.length)
    expect(net.sent.map((attempt) => attempt.id)).toEqual([id, id, id])
    expect(new Set(net.sent.map(({ blocks }) => JSON.stringify(blocks))).size).toBe(1)
    expect(net.committed.size).toBe(1)
  })

  it('quotes', async () => {
    const net = world()
    const quotes: unknown[] = []
    const { box, acks } = outbox(net, {
      send: (room, id, blocks, quote) => {
        quotes.push(quote)
        return net.send(room, id, blocks)
      },
    })
    await box.add({ ...text('a', 'x'), quote: 'message-1' })
    await until(() => acks.length)
    expect(quotes).toEqual(['message-1'])
  })
})

describe('order', () => {
  it('within a room is the order of writing, one at a time', async () => {
    const net = world()
    let release = () => {}
    net.behaviour.hold = new Promise((resolve) => (release = resolve))
    const { box, acks } = outbox(net)
    const ids = [box.add(text('a', '1')), box.add(text('a', '2')), box.add(text('a', '3'))]
    await Promise.all(ids)
    await until(() => net.sent.length)
    expect(net.sent).toHaveLength(1)
    net.behaviour.hold = null
    release()
    await until(() => acks.length === 3)
    expect(texts(net.sent)).toEqual(['1', '2', '3'])
  })

  it('holds although a message with photos is slower to store', async () => {
    const net = world()
    const slow = sendStore(database)
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { box, acks } = outbox(net, {
      store: {
        ...slow,
        put: async (item) => {
          if (item.text === 'first') await gate
          await slow.put(item)
        },
      },
    })
    const first = box.add({ room: 'a', text: 'first', photos: photos('big.jpg') })
    await box.add(text('a', 'second'))
    expect(net.sent).toEqual([])
    release()
    await first
    await until(() => acks.length === 2)
    expect(texts(net.sent)).toEqual(['first', 'second'])
  })

  it('holds across a failure that passes', async () => {
    const net = world()
    let failures = 0
    net.behaviour.send = () => (failures++ < 1 ? problem(8001, { retry_after: 0.01 }) : undefined)
    const { box, acks } = outbox(net)
    await box.add(text('a', '1'))
    await box.add(text('a', '2'))
    await until(() => acks.length === 2)
    expect(texts(net.sent)).toEqual(['1', '1', '2'])
  })

  it('of one room does not wait for another', async () => {
    const net = world()
    net.behaviour.send = ({ room }) => (room === 'a' ? new Unreachable('x') : undefined)
    const { box, acks } = outbox(net)
    await box.add(text('a', 'stuck'))
    await box.add(text('b', 'goes'))
    await until(() => acks.length)
    expect(acks[0]!.item.room).toBe('b')
    expect(box.pending('a')).toHaveLength(1)
  })
})

describe('photos', () => {
  it('are uploaded in their order and sent as one message', async () => {
    const net = world()
    const { box, acks } = outbox(net)
    await box.add({ room: 'a', text: '看板', photos: photos('1.jpg', '2.jpg', '3.jpg') })
    await until(() => acks.length)
    expect(net.uploaded.map(({ name }) => name)).toEqual(['1.jpg', '2.jpg', '3.jpg'])
    expect(net.sent).toHaveLength(1)
    expect(net.sent[0]!.blocks).toEqual([
      { type: 'text', text: '看板' },
      { type: 'photos', ids: ['attachment-1', 'attachment-2', 'attachment-3'] },
    ])
  })

  it('need no text', async () => {
    const net = world()
    const { box, acks } = outbox(net)
    await box.add({ room: 'a', text: '', photos: photos('1.jpg') })
    await until(() => acks.length)
    expect(net.sent[0]!.blocks).toEqual([{ type: 'photos', ids: ['attachment-1'] }])
  })

  it('that are uploaded are not uploaded again after a failure', async () => {
    const net = world()
    let failures = 0
    net.behaviour.upload = ({ name }) => (name === '2.jpg' && failures++ < 2 ? new Unreachable('cut') : undefined)
    const { box, acks } = outbox(net)
    await box.add({ room: 'a', text: '', photos: photos('1.jpg', '2.jpg') })
    await until(() => acks.length)
    expect(net.uploaded.map(({ name }) => name)).toEqual(['1.jpg', '2.jpg', '2.jpg', '2.jpg'])
    expect(new Set(net.uploaded.filter(({ name }) => name === '2.jpg').map(({ key }) => key)).size).toBe(1)
  })

  it('tell how far they are', async () => {
    const net = world()
    const phases: string[] = []
    const { box, acks } = outbox(net, {
      changed: () => {
        const phase = box?.pending('a')[0]?.phase
        if (phase) phases.push(phase.name === 'uploading' ? `${phase.photo}:${phase.sent}/${phase.total}` : phase.name)
      },
      upload: async (upload) => {
        upload.progress?.(5, 10)
        return net.upload(upload)
      },
    })
    await box.add({ room: 'a', text: '', photos: photos('1.jpg', '2.jpg') })
    await until(() => acks.length)
    const size = 'bytes of 1.jpg'.length
    expect(phases).toEqual([
      'waiting',
      `1:0/${size}`,
      '1:5/10',
      `2:0/${size}`,
      '2:5/10',
      'sending',
    ])
  })

  it('one of which is refused can be sent without it', async () => {
    const net = world()
    net.behaviour.upload = ({ name }) => (name === '2.jpg' ? problem(5003) : undefined)
    const { box, acks } = outbox(net)
    const id = await box.add({ room: 'a', text: '', photos: photos('1.jpg', '2.jpg', '3.jpg') })
    await until(() => box.phase(id).name === 'failed')
    const { item } = box.pending('a')[0]!
    expect(item.problem?.photo).toBe(item.photos[1]!.key)
    await box.withoutPhoto(id, item.photos[0]!.key)
    expect(box.pending('a')[0]!.item.photos).toHaveLength(3)
    await box.withoutPhoto(id, item.photos[1]!.key)
    await until(() => acks.length)
    expect(net.uploaded.map(({ name }) => name)).toEqual(['1.jpg', '2.jpg', '3.jpg'])
    expect(net.sent[0]!.blocks).toEqual([{ type: 'photos', ids: ['attachment-1', 'attachment-2'] }])
  })

  it('of which nothing is left leave no empty message', async () => {
    const net = world()
    net.behaviour.upload = () => problem(5003)
    const { box } = outbox(net)
    const id = await box.add({ room: 'a', text: '', photos: photos('1.jpg') })
    await until(() => box.phase(id).name === 'failed')
    await box.withoutPhoto(id, box.pending('a')[0]!.item.photos[0]!.key)
    expect(box.size).toBe(0)
    expect(net.sent).toEqual([])
  })

  it('that the server swept are uploaded anew when the person tries again', async () => {
    const net = world()
    let gone = true
    net.behaviour.send = () => (gone ? problem(5001) : undefined)
    const { box, acks } = outbox(net)
    const id = await box.add({ room: 'a', text: '', photos: photos('1.jpg') })
    await until(() => box.phase(id).name === 'failed')
    gone = false
    await box.again(id)
    await until(() => acks.length)
    expect(new Set(net.uploaded.map(({ key }) => key)).size).toBe(2)
  })
})

describe('failures', () => {
  it('that pass are waited for as long as the server says', async () => {
    const net = world()
    let failures = 0
    net.behaviour.send = () => (failures++ < 1 ? problem(8005, { retry_after: 0.15 }) : undefined)
    const { box, acks } = outbox(net)
    const began = Date.now()
    await box.add(text('a', 'x'))
    await until(() => acks.length)
    expect(Date.now() - began).toBeGreaterThanOrEqual(145)
    // The back-off without the server's word would be half a second.
    expect(Date.now() - began).toBeLessThan(450)
  })

  it('of the session wait for the session', async () => {
    const net = world()
    let failures = 0
    net.behaviour.send = () => (failures++ < 1 ? problem(1004) : undefined)
    const { box, acks } = outbox(net)
    const id = await box.add(text('a', 'x'))
    await until(() => box.phase(id).name === 'retrying')
    box.wake()
    await until(() => acks.length)
  })

  it('that do not pass are shown, and let the next message through', async () => {
    const net = world()
    net.behaviour.send = ({ blocks }) => (texts([{ room: '', id: '', blocks }])[0] === 'bad' ? problem(3003) : undefined)
    const { box, acks } = outbox(net)
    const bad = await box.add(text('a', 'bad'))
    await box.add(text('a', 'good'))
    await until(() => acks.length)
    expect(box.pending('a')).toMatchObject([
      { item: { client_msg_id: bad, problem: { code: 3003, ja: '3003の説明' } }, phase: { name: 'failed' } },
    ])
    expect((await stored())[0]!.problem?.code).toBe(3003)
  })

  it.each([9001, 2001, 4003])('with number %i are not repeated by themselves', async (code) => {
    const net = world()
    net.behaviour.send = () => problem(code)
    const { box } = outbox(net)
    const id = await box.add(text('a', 'x'))
    await until(() => box.phase(id).name === 'failed')
    box.wake()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(net.sent).toHaveLength(1)
  })

  it('can be tried again, with the same id', async () => {
    const net = world()
    let allowed = false
    net.behaviour.send = () => (allowed ? undefined : problem(3003))
    const { box, acks } = outbox(net)
    const id = await box.add(text('a', 'x'))
    await until(() => box.phase(id).name === 'failed')
    allowed = true
    await box.again(id)
    await until(() => acks.length)
    expect(net.sent.map((attempt) => attempt.id)).toEqual([id, id])
  })

  it('can be given up', async () => {
    const net = world()
    net.behaviour.send = () => problem(3003)
    const { box } = outbox(net)
    const id = await box.add(text('a', 'x'))
    await until(() => box.phase(id).name === 'failed')
    await box.discard(id)
    expect(await stored()).toEqual([])
    expect(box.size).toBe(0)
  })

  it('of understanding are told as such', async () => {
    const net = world()
    net.behaviour.send = () => new Error('a proxy spoke')
    const { box } = outbox(net)
    const id = await box.add(text('a', 'x'))
    await until(() => box.phase(id).name === 'failed')
    expect(box.pending('a')[0]!.item.problem?.code).toBe(9000)
  })

  it('to store are told, and the message is sent all the same', async () => {
    const net = world()
    const { box, acks } = outbox(net, {
      store: { ...sendStore(database), put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')) },
    })
    await box.add(text('a', 'x'))
    await until(() => acks.length)
    expect(box.durable).toBe(false)
  })
})

describe('waking', () => {
  it('goes on at once when the connection is back', async () => {
    const net = world()
    let connected = false
    net.behaviour.send = () => (connected ? undefined : new Unreachable('x'))
    const { box, acks } = outbox(net, { random: () => 1 })
    await box.add(text('a', 'x'))
    await until(() => net.sent.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    connected = true
    const began = Date.now()
    box.wake()
    await until(() => acks.length)
    expect(Date.now() - began).toBeLessThan(500)
    expect(net.sent).toHaveLength(2)
  })

  it('does not send a thing twice at once', async () => {
    const net = world()
    let release = () => {}
    net.behaviour.hold = new Promise((resolve) => (release = resolve))
    const { box, acks } = outbox(net)
    await box.add(text('a', 'x'))
    await until(() => net.sent.length)
    box.wake()
    box.wake()
    release()
    await until(() => acks.length)
    expect(net.sent).toHaveLength(1)
  })

  it('stops when signed out, and keeps what was written', async () => {
    const net = world()
    net.behaviour.send = () => new SignedOut() as never
    const { box } = outbox(net)
    await box.add(text('a', 'x'))
    await until(() => net.sent.length)
    box.wake()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(net.sent).toHaveLength(1)
    expect(await stored()).toHaveLength(1)
  })
})

describe('after the page was closed', () => {
  async function leaveBehind(tab = 'tab-0', user = 'me') {
    const net = world()
    net.behaviour.send = () => new Unreachable('x')
    const { box } = outbox(net, { tab, user })
    await box.add({ room: 'a', text: '1', photos: photos('1.jpg') })
    await box.add(text('a', '2'))
    await until(() => net.sent.length)
    box.stop()
    return net.sent[0]!.id
  }

  it('sends what is left, with the same ids, photos and order', async () => {
    const id = await leaveBehind()
    const net = world()
    const { box, acks } = outbox(net)
    await box.restore()
    await until(() => acks.length === 2)
    expect(net.sent[0]!.id).toBe(id)
    expect(texts(net.sent)).toEqual(['1', '2'])
    // Uploaded before the page was closed: the message must go on naming the same attachment.
    expect(net.uploaded).toEqual([])
    expect(net.sent[0]!.blocks[1]).toEqual({ type: 'photos', ids: ['attachment-1'] })
  })

  it('uploads the bytes it kept, when they were not uploaded', async () => {
    const first = world()
    first.behaviour.upload = () => new Unreachable('x')
    const { box: old } = outbox(first, { tab: 'tab-0' })
    await old.add({ room: 'a', text: '', photos: photos('1.jpg', '2.jpg') })
    await until(() => first.uploaded.length)
    old.stop()
    const net = world()
    const { box, acks } = outbox(net)
    await box.restore()
    await until(() => acks.length)
    expect(net.uploaded.map(({ bytes }) => bytes)).toEqual(['bytes of 1.jpg', 'bytes of 2.jpg'])
    expect(net.uploaded[0]!.key).toBe(first.uploaded[0]!.key)
  })

  it('leaves to another living tab what is its own', async () => {
    await leaveBehind('tab-9')
    const net = world()
    const { box } = outbox(net, { tabs: async () => new Set(['tab-9', 'tab-1']) })
    await box.restore()
    expect(box.size).toBe(0)
    expect(await stored()).toHaveLength(2)
  })

  it('is adopted by one of two tabs that open at once', async () => {
    await leaveBehind()
    const net = world()
    const one = outbox(net, { tab: 'tab-1' })
    const two = outbox(net, { tab: 'tab-2' })
    await Promise.all([one.box.restore(), two.box.restore()])
    await until(() => one.acks.length + two.acks.length === 2)
    expect(net.sent).toHaveLength(2)
  })

  it('neither sends nor keeps what another person left', async () => {
    await leaveBehind('tab-0', 'somebody-else')
    const net = world()
    const { box } = outbox(net)
    await box.restore()
    expect(box.size).toBe(0)
    expect(await stored()).toEqual([])
  })

  it('writes new messages after the old ones', async () => {
    await leaveBehind()
    const net = world()
    net.behaviour.send = () => new Unreachable('x')
    const { box } = outbox(net)
    await box.restore()
    await box.add(text('a', '3'))
    expect(box.pending('a').map(({ item }) => item.text)).toEqual(['1', '2', '3'])
  })
})

describe('files', () => {
  const files = (...keys: string[]) => keys.map((key) => ({ key, name: `${key}.pdf`, size: 10 }))

  it('go as one message in their order, after the photos, when the last of them is complete', async () => {
    const net = world()
    const keep = keeper()
    const { box, acks } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: '図面です', photos: photos('1.jpg'), files: files('f1', 'f2') })
    await until(() => keep.waiting.has('f1'))
    expect(box.phase(id)).toEqual({ name: 'files' })
    keep.finish('f1')
    await until(() => keep.waiting.has('f2'))
    expect(net.sent).toEqual([])
    keep.finish('f2')
    await until(() => acks.length)
    expect(net.sent[0]!.blocks).toEqual([
      { type: 'text', text: '図面です' },
      { type: 'photos', ids: ['attachment-1'] },
      { type: 'files', ids: ['file-f1', 'file-f2'] },
    ])
    expect(keep.did).toEqual(['forget f1', 'forget f2'])
  })

  it('do not hold up what was written after them', async () => {
    const net = world()
    const keep = keeper()
    const { box, acks } = outbox(net, { files: keep })
    await box.add({ room: 'a', text: '大きな図面', photos: [], files: files('f1') })
    await box.add(text('a', '今、送っています'))
    await until(() => acks.length)
    expect(texts(net.sent)).toEqual(['今、送っています'])
    await until(() => keep.waiting.has('f1'))
    keep.finish('f1')
    await until(() => acks.length === 2)
    expect(texts(net.sent)).toEqual(['今、送っています', '大きな図面'])
  })

  it('are waited for again by the page that comes after', async () => {
    const net = world()
    const first = outbox(net)
    await first.box.add({ room: 'a', text: 'x', photos: [], files: files('f1') })
    first.box.stop()
    const keep = keeper()
    const { box, acks } = outbox(net, { files: keep, tab: 'tab-2' })
    await box.restore()
    expect(box.files).toEqual(new Set(['f1']))
    await until(() => keep.waiting.has('f1'))
    keep.finish('f1')
    await until(() => acks.length)
    expect(net.sent).toHaveLength(1)
  })

  it('can be left out while they are not complete', async () => {
    const net = world()
    const keep = keeper()
    const { box, acks } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: 'x', photos: [], files: files('f1', 'f2') })
    await until(() => keep.waiting.has('f1'))
    await box.withoutFile(id, 'f1')
    await until(() => keep.waiting.has('f2'))
    keep.finish('f2')
    await until(() => acks.length)
    expect(net.sent[0]!.blocks.at(-1)).toEqual({ type: 'files', ids: ['file-f2'] })
    expect(keep.did[0]).toBe('cancel f1')
  })

  it('stay in a message that may have arrived', async () => {
    const net = world()
    const keep = keeper()
    net.behaviour.send = () => problem(3003)
    const { box } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: 'x', photos: [], files: files('f1') })
    await until(() => keep.waiting.has('f1'))
    keep.finish('f1')
    await until(() => box.phase(id).name === 'failed')
    await box.withoutFile(id, 'f1')
    expect(box.pending('a')[0]!.item.files).toHaveLength(1)
  })

  it('go with a message that is given up', async () => {
    const net = world()
    const keep = keeper()
    const { box } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: 'x', photos: [], files: files('f1') })
    await until(() => keep.waiting.has('f1'))
    await box.discard(id)
    expect(keep.did).toEqual(['cancel f1'])
    expect(box.size).toBe(0)
    expect(await stored()).toEqual([])
  })

  it('go up again when the server has swept them', async () => {
    const net = world()
    const keep = keeper()
    let refusals = 0
    net.behaviour.send = () => (refusals++ === 0 ? problem(5001) : undefined)
    const { box, acks } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: '', photos: [], files: files('f1') })
    await until(() => keep.waiting.has('f1'))
    keep.finish('f1')
    await until(() => box.phase(id).name === 'failed')
    keep.waiting.clear()
    await box.again(id)
    expect(keep.did).toEqual(['renew f1'])
    await until(() => keep.waiting.has('f1'))
    keep.finish('f1')
    await until(() => acks.length)
  })

  it('that this device has lost are told', async () => {
    const net = world()
    const keep = { ...keeper(), ready: () => Promise.reject(problem(5001)) }
    const { box } = outbox(net, { files: keep })
    const id = await box.add({ room: 'a', text: 'x', photos: [], files: files('f1') })
    await until(() => box.phase(id).name === 'failed')
    expect(box.pending('a')[0]!.item.problem).toMatchObject({ code: 5001 })
  })
})

describe('what is asked for with a message', () => {
  it('survives the closing of the page', async () => {
    const away = wishing()
    away.net.behaviour.send = () => new Unreachable('no line')
    const { box } = outbox(away.net, { send: away.send })
    await box.add({ ...text('r', '避難所の鍵'), confirm: 900, level: 'urgent', at: 800 })
    await until(() => away.wished.length > 0)
    box.stop()
    const back = wishing()
    const { box: next, acks } = outbox(back.net, { send: back.send, tab: 'tab-2' })
    await next.restore()
    await until(() => acks.length === 1)
    expect(back.wished).toEqual([{ confirm: 900, level: 'urgent', at: 800 }])
  })

  it('can be left out where the server refuses it', async () => {
    const { net, wished, send } = wishing()
    net.behaviour.send = () =>
      wished.length > 1
        ? undefined
        : new Problem({ code: 2001, name: 'x', field: 'confirm', params: {}, ja: '過ぎています', en: 'over' })
    const { box, acks } = outbox(net, { send })
    const id = await box.add({ ...text('r', '遅れて届く'), confirm: 900, level: 'notice' })
    await until(() => box.phase(id).name === 'failed')
    expect((await stored())[0]!.problem).toMatchObject({ code: 2001, field: 'confirm' })
    await box.without(id, 'confirm')
    await until(() => acks.length === 1)
    expect(wished).toEqual([{ confirm: 900, level: 'notice' }, { level: 'notice' }])
  })
})
