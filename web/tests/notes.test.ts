import { afterEach, describe, expect, it, vi } from 'vitest'
import { nameOf } from '../src/protocol/download'
import type { NotesApi } from '../src/protocol/notesApi'
import type { EntryBlock, Note, NoteBlock } from '../src/protocol/noteTypes'
import { Problem, Unreachable } from '../src/protocol/problem'
import type { Attachment, Message } from '../src/protocol/types'
import { choosing } from '../src/state/choosing.svelte'
import { readNoteDraft } from '../src/state/noteDrafts'
import { NoteEditor } from '../src/state/noteEditor.svelte'
import { changes, foreign } from '../src/state/notePieces'
import type { Timeline } from '../src/state/timeline.svelte'
import { difference } from '../src/text/difference'
import { saidOf } from '../src/text/marks'

const author = { id: 'u1', name: '高橋 健', department: '道路課', post: '主事', kind: 'member' }
const words = (text: string): NoteBlock => ({ type: 'markdown', text })
const entry = (id: string): EntryBlock => ({ type: 'entry', id, message: `m${id}`, seq: 1, at: 1, author, text: '倒木', ids: [], taken: 2 })
const picture = (id: string, name = id): Attachment => ({
  id, kind: 'photo', name, type: 'image/jpeg', size: 1, state: 'ready', width: 4, height: 3, color: '#123456',
})
const note = (...blocks: NoteBlock[]): Note => ({
  id: 'n1', room: 'r1', title: '記録', version: 4, created: 1, created_by: author, updated: 2, updated_by: author, deleted: null,
  what: 'changed', conflict: false, blocks, attachments: [picture('p1')], can: { change: true, delete: true },
})

describe('a difference', () => {
  it('leads from the one to the other, by a short way', () => {
    const letters = (text: string) => [...text]
    for (const [before, after] of [['', ''], ['', 'ab'], ['ab', ''], ['abcde', 'axcye'], ['abab', 'baba'], ['xabc', 'abcx']]) {
      const steps = difference(letters(before!), letters(after!), (one) => one)
      const of = (kinds: string[]) => steps.filter(({ kind }) => kinds.includes(kind)).map(({ item }) => item).join('')
      expect([of(['same', 'removed']), of(['same', 'added'])]).toEqual([before, after])
    }
    expect(difference([...'abcde'], [...'axcye'], (one) => one).filter(({ kind }) => kind === 'same')).toHaveLength(3)
  })

  it('takes a bounded time, whatever the length', () => {
    const many = (sign: string) => Array.from({ length: 50_000 }, (_, at) => `${sign}${at}`)
    const began = process.cpuUsage()
    expect(difference(many('a'), many('b'), (one) => one)).toHaveLength(100_000)
    // Of the processor, not of the clock: others may be at work.
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(1_000)
  })
})

describe('what became of a note', () => {
  it('is told by lines and blocks, with what stands beside them', () => {
    const before = note(words('一\n二\n三\n四\n五'), entry('e1'))
    const after = note(words('一\n二\n三\n四つ\n五'), entry('e1'))
    const told = changes(before, after).map((step) => (step.kind === 'gap' ? '…' : `${step.kind} ${step.item.type === 'line' ? step.item.text : 'block'}`))
    expect(told).toEqual(['…', 'same 三', 'removed 四', 'added 四つ', 'same 五', '…'])
    expect(changes(before, before)).toEqual([])
  })

  it('does not take a copied photo for another one', () => {
    const mine = { blocks: [words('一'), { type: 'photos', ids: ['room'] } as NoteBlock], attachments: [picture('room', '現場.jpg')] }
    const now = { blocks: [words('一'), { type: 'photos', ids: ['copy'] } as NoteBlock, words('他')], attachments: [picture('copy', '現場.jpg')] }
    expect([...foreign(mine, now)]).toEqual([2])
  })
})

describe('an editor', () => {
  const api = (act: Partial<Record<'create' | 'change', (...given: unknown[]) => unknown>>) => act as unknown as NotesApi
  const store = new Map<string, string>()
  const useStorage = () =>
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => void store.set(key, value),
      removeItem: (key: string) => void store.delete(key),
    })

  afterEach(() => {
    store.clear()
    vi.unstubAllGlobals()
  })

  it('moves, takes out and puts back, and never past the ends', () => {
    const editor = new NoteEditor('u1', 'r1', note(words('一'), words('二'), entry('e1')), api({}))
    const shown = () => editor.blocks.map(({ block }) => (block.type === 'markdown' ? block.text : block.type))
    const [first, , last] = editor.blocks.map(({ key }) => key)
    expect([editor.move(last!, -1), editor.move(first!, -1), editor.move(last!, 1)]).toEqual([2, 0, 3])
    editor.remove(first!)
    expect(shown()).toEqual(['二', 'entry'])
    editor.putBack()
    expect(shown()).toEqual(['一', '二', 'entry'])
    editor.stop()
  })

  it('divides photos into blocks of ten', () => {
    const editor = new NoteEditor('u1', 'r1', note(), api({}))
    editor.attach(0, 'photos', Array.from({ length: 23 }, (_, at) => picture(`p${at}`)))
    expect(editor.blocks.map(({ block }) => (block.type === 'photos' ? block.ids.length : 0))).toEqual([10, 10, 3])
    expect(editor.photos.map(({ id }) => id)).toEqual(Array.from({ length: 23 }, (_, at) => `p${at}`))
    editor.stop()
  })

  it('keeps what was written until it is saved, and the version it was made of', async () => {
    useStorage()
    const change = vi.fn().mockRejectedValueOnce(new Unreachable('x')).mockResolvedValue({ version: 5 })
    const editor = new NoteEditor('u1', 'r1', note(words('一')), api({ change }))
    editor.change(editor.blocks[0]!.key, words('一行'))
    editor.add(1, words('  '))
    await expect(editor.save()).rejects.toBeInstanceOf(Unreachable)
    const draft = readNoteDraft('u1', 'r1', 'n1')!
    expect([draft.base, draft.blocks]).toEqual([4, [words('一行'), words('  ')]])
    expect(readNoteDraft('u2', 'r1', 'n1')).toBeNull()
    const again = new NoteEditor('u1', 'r1', { ...note(words('別')), version: 9 }, api({ change }), draft)
    await again.save()
    // Empty words are no block; and it is still a change of version 4, whatever came since.
    expect(change).toHaveBeenLastCalledWith('n1', 4, { title: '記録', blocks: [words('一行')] })
    expect(readNoteDraft('u1', 'r1', 'n1')).toBeNull()
    editor.stop()
  })

  it('makes one note of a repetition, and another of another text', async () => {
    const keys: unknown[] = []
    const create = (_room: unknown, key: unknown) => (keys.push(key), Promise.reject(new Unreachable('lost')))
    const editor = new NoteEditor('u1', 'r1', null, api({ create }))
    editor.rename('新しい記録')
    for (let time = 0; time < 2; time++) await editor.save().catch(() => undefined)
    editor.rename('別の記録')
    await editor.save().catch(() => undefined)
    expect(keys[0]).toBe(keys[1])
    expect(keys[2]).not.toBe(keys[1])
    expect(editor.kept).toBe(false)
    editor.stop()
  })

  it('names a refusal and keeps all', async () => {
    const refused = new Problem({ code: 4036, name: 'note_entry_unknown', field: null, params: {}, ja: '', en: '' })
    const editor = new NoteEditor('u1', 'r1', note(entry('e1')), api({ change: () => Promise.reject(refused) }))
    editor.rename('記録2')
    await expect(editor.save()).rejects.toBe(refused)
    expect([editor.saving, editor.changed, editor.blocks.length]).toEqual([false, true, 1])
    editor.stop()
  })
})

describe('choosing messages', () => {
  const message = (seq: number, more: Partial<Message> = {}): Message => ({ id: `m${seq}`, seq, ordinal: seq, at: seq, kind: 'text', author, ...more })
  const messages = Array.from({ length: 80 }, (_, at) => message(at + 1, at === 2 ? { redacted: 9 } : at === 3 ? { kind: 'system' } : {}))
  const timeline = { room: 'r1', messages } as unknown as Timeline

  afterEach(() => choosing.end())

  it('takes what lies between, either way, but nothing that says nothing', () => {
    choosing.start(timeline, messages[5]!)
    choosing.toggle(messages[0]!, true)
    expect(choosing.ids).toEqual(['m1', 'm2', 'm5', 'm6'])
    choosing.toggle(messages[1]!, false)
    choosing.ranging = true
    choosing.toggle(messages[6]!, false)
    expect(choosing.ids).toEqual(['m1', 'm2', 'm5', 'm6', 'm7'])
    expect(choosing.ranging).toBe(false)
  })

  it('ends at fifty, and says so', () => {
    choosing.start(timeline, messages[79]!)
    choosing.toggle(messages[4]!, true)
    expect([choosing.count, choosing.full, choosing.ids.at(-1), choosing.ids[0]]).toEqual([50, true, 'm80', 'm31'])
    choosing.toggle(messages[79]!, false)
    expect([choosing.count, choosing.full]).toEqual([49, false])
  })
})

describe('what a message says of its photos', () => {
  it('is read by number, also where counting goes on', () => {
    expect(saidOf('倒木です。\n\n1. 【着手前】倒木の全景\n3. 枝', 3)).toEqual([
      { mark: '着手前', caption: '倒木の全景' }, { mark: '', caption: '' }, { mark: '', caption: '枝' },
    ])
    expect(saidOf('12. 【After】cleared', 3).map(({ mark }) => mark)).toEqual(['', 'After', ''])
    expect(saidOf('1. 出席 2名\n2. 欠席', 2).every(({ caption }) => caption === '')).toBe(true)
  })
})

it('the name of a download is that of the server', () => {
  expect(nameOf("attachment; filename=\"note.pdf\"; filename*=UTF-8''%E8%A8%98%E9%8C%B2.pdf")).toBe('記録.pdf')
  expect(nameOf('attachment; filename="note.zip"')).toBe('note.zip')
  expect(nameOf("attachment; filename*=UTF-8''%E8")).toBe('download')
})
