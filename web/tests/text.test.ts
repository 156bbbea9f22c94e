import { describe, expect, it, vi } from 'vitest'
import type { Message } from '../src/protocol/types'
import { day, sameDay, short, time } from '../src/text/dates'
import { deviceName } from '../src/text/device'
import { en } from '../src/text/en'
import { extension, fileKind } from '../src/text/fileKinds'
import { ja } from '../src/text/ja'
import { segments } from '../src/text/segments'
import { size, timeLeft } from '../src/text/sizes'
import { isComposing, keys } from '../src/ui/ime'
import { albumFacts } from '../src/ui/photoFacts'
import { rows } from '../src/ui/rows'
import { initial, tileClass } from '../src/ui/tile'

vi.stubEnv('TZ', 'Asia/Tokyo')

const author = { id: 'u1', name: '高橋 健', department: '道路課 維持係', post: '主事', kind: 'member' }
const message = (seq: number, extra: Partial<Message> = {}): Message => ({
  id: `m${seq}`,
  seq,
  ordinal: seq,
  at: Date.parse('2026-11-22T09:31:00+09:00') + seq * 1000,
  kind: 'text',
  author,
  text: 'plain',
  blocks: [],
  ...extra,
})
const said = (text: string, extra: Partial<Message> = {}) =>
  segments(message(1, { blocks: [{ type: 'text', text }], ...extra }))

describe('segments', () => {
  it('shows names for mentions', () => {
    const mentions = { 'user:u2': '田中 美咲', 'department:d1': '道路課' }
    expect(said('<@user:u2> と <@department:d1> へ、<@everyone>', { mentions })).toEqual([
      { type: 'mention', name: '田中 美咲', everyone: false, person: true, id: 'u2' },
      { type: 'text', text: ' と ' },
      { type: 'mention', name: '道路課', everyone: false, person: false, id: 'd1' },
      { type: 'text', text: ' へ、' },
      { type: 'mention', name: '全員', everyone: true, person: false, id: '' },
    ])
  })

  it('leaves what only looks like a mention or like HTML as text', () => {
    for (const text of ['<@user:>', '<@user:u2', '<b>x</b><script>alert(1)</script>', '&lt;', '<@room:r1>']) {
      expect(said(text)).toEqual([{ type: 'text', text }])
    }
  })

  it.each([
    ['県の通知 https://www.example.jp/a?b=c#d です', 'https://www.example.jp/a?b=c#d'],
    ['(https://example.jp/x)', 'https://example.jp/x'],
    ['https://example.jp/道路', 'https://example.jp/'],
    ['見てください。http://10.0.0.1:8080/。', 'http://10.0.0.1:8080/'],
  ])('finds the link in %s', (text, href) => {
    expect(said(text).filter(({ type }) => type === 'link')).toEqual([{ type: 'link', href }])
    expect(said(text).map((part) => ('href' in part ? part.href : 'text' in part ? part.text : '')).join('')).toBe(text)
  })

  it.each(['javascript:alert(1)', 'data:text/html,x', 'ftp://x', 'https://', 'http://['])('makes no link of %s', (text) => {
    expect(said(text).some(({ type }) => type === 'link')).toBe(false)
  })

  it('shows the plain text for blocks of a later version', () => {
    const blocks = [{ type: 'text', text: 'shown by blocks' }, { type: 'form' }]
    expect(segments(message(1, { text: 'shown plainly', blocks }))).toEqual([{ type: 'text', text: 'shown plainly' }])
    const later = [{ type: 'text', v: 2, text: 'x' }]
    expect(segments(message(1, { text: 'shown plainly', blocks: later }))).toEqual([{ type: 'text', text: 'shown plainly' }])
  })

  it('shows no text for photos alone', () => {
    expect(segments(message(1, { text: '写真 3枚', blocks: [{ type: 'photos', ids: ['a'] }] }))).toEqual([])
  })

  it.each(['https://'.repeat(2500), '<@user:'.repeat(2800), `https://${'a.'.repeat(9990)}`, '<@user:u2>'.repeat(2000), '('.repeat(20_000), `http://x/${'.'.repeat(19_990)}a`])(
    'takes the largest hostile message in its stride',
    (text) => {
      const began = performance.now()
      said(text.slice(0, 20_000))
      expect(performance.now() - began).toBeLessThan(200)
    },
  )
})

describe('dates', () => {
  const at = Date.parse('2026-11-22T09:31:00+09:00')
  const hours = (count: number) => at + count * 3_600_000

  it('are written as a town hall writes them', () => {
    expect(day(at, 'ja', at)).toBe('11月22日(日)')
    expect(day(at, 'ja', Date.parse('2027-01-05T00:00:00+09:00'))).toBe('2026年11月22日(日)')
    expect(time(at, 'ja')).toBe('9:31')
    expect(day(at, 'en', at)).toContain('22 Nov')
  })

  it('are short in lists', () => {
    expect(short(at, 'ja', '昨日', hours(10))).toBe('9:31')
    expect(short(at, 'ja', '昨日', hours(15))).toBe('昨日')
    expect(short(at, 'ja', '昨日', hours(48))).toBe('11/22')
    expect(short(at, 'ja', '昨日', hours(24 * 60))).toBe('2026/11/22')
  })

  it('change at midnight here', () => {
    expect(sameDay(hours(14), hours(15))).toBe(false)
    expect(sameDay(at, hours(14))).toBe(true)
  })
})

describe('rows', () => {
  const kinds = (list: ReturnType<typeof rows>) =>
    list.map((row) => (row.type === 'message' ? `${row.message.seq}${row.continued ? '+' : ''}` : row.type))
  const other = { ...author, id: 'u2', name: '田中 美咲' }

  it('separate days, and join what one person says in a moment', () => {
    const list = [message(1), message(2), message(3, { author: other }), message(4, { at: message(4).at + 86_400_000 })]
    expect(kinds(rows(list, null, true, 'me'))).toEqual(['day', '1', '2+', '3', 'day', '4'])
  })

  it('name the author again after five minutes, after a change of post, and around anything special', () => {
    const later = message(2, { at: message(1).at + 300_000 })
    expect(kinds(rows([message(1), later], null, true, 'me'))).toEqual(['day', '1', '2'])
    const promoted = message(2, { author: { ...author, post: '係長' } })
    expect(kinds(rows([message(1), promoted], null, true, 'me'))).toEqual(['day', '1', '2'])
    const gone = message(2, { redacted: 5 })
    expect(kinds(rows([message(1), gone, message(3)], null, true, 'me'))).toEqual(['day', '1', '2', '3'])
  })

  it('draw the unread line before the first unread message of somebody else', () => {
    const list = [message(1), message(2), message(3, { author: other }), message(4, { author: other })]
    expect(kinds(rows(list, 2, true, 'u1'))).toEqual(['day', '1', '2+', 'unread', '3', '4+'])
    expect(kinds(rows(list, 1, true, 'u1'))).toEqual(['day', '1', '2+', 'unread', '3', '4+'])
    expect(kinds(rows(list, 4, true, 'u1'))).not.toContain('unread')
    expect(kinds(rows(list, null, true, 'u1'))).not.toContain('unread')
  })

  it('draw no unread line while the first unread message may still be above', () => {
    const list = [message(50, { author: other }), message(51, { author: other })]
    expect(kinds(rows(list, 10, false, 'u1'))).not.toContain('unread')
    expect(kinds(rows(list, 10, true, 'u1'))).toEqual(['day', 'unread', '50', '51+'])
  })

  it('have keys of their own', () => {
    const keysOf = rows([message(1), message(2), message(3, { at: 0 })], 1, true, 'me').map(({ key }) => key)
    expect(new Set(keysOf).size).toBe(keysOf.length)
  })
})

describe('the input method', () => {
  const key = (init: Partial<KeyboardEvent>) => init as KeyboardEvent

  it('has its keys to itself', () => {
    const handler = vi.fn()
    const guarded = keys(handler)
    guarded(key({ key: 'Enter', isComposing: true, keyCode: 13 }))
    guarded(key({ key: 'Enter', isComposing: false, keyCode: 229 }))
    expect(handler).not.toHaveBeenCalled()
    guarded(key({ key: 'Enter', isComposing: false, keyCode: 13 }))
    expect(handler).toHaveBeenCalledTimes(1)
    expect(isComposing(key({ isComposing: false, keyCode: 65 }))).toBe(false)
  })
})

describe('small things', () => {
  it('name a device so that one recognises it', () => {
    expect(deviceName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0 Safari/537.36 Edg/156.0', 'Browser')).toBe('Edge(Windows)')
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1', 'Browser')).toBe('Safari(iPhone)')
    expect(deviceName('curl/8', 'Browser')).toBe('Browser')
  })

  it('take the first character as a reader sees it', () => {
    expect(initial('𠮷田 茂樹')).toBe('𠮷')
    expect(initial('  tanaka')).toBe('T')
    expect(initial('')).toBe('・')
  })

  it('give the same colour to the same id', () => {
    expect(tileClass('06h02b7qo19g6f6a3dhnjc1pts')).toBe(tileClass('06h02b7qo19g6f6a3dhnjc1pts'))
    const used = new Set(Array.from({ length: 100 }, (_, index) => tileClass(`id-${index}`)))
    expect([...used].sort()).toEqual(['tile1', 'tile2', 'tile3', 'tile4', 'tile5'])
  })
})

describe('the facts under photos', () => {
  const at = (moment: string) => Date.parse(`${moment}:00+09:00`)
  const facts = (...taken: string[]) =>
    albumFacts(
      taken.map((moment) => ({ id: moment, name: 'a.jpg', expires: 0, taken_at: at(moment) })),
      taken.length,
      at('2026-11-22T09:31'),
      ja,
      'ja',
    )[0]

  it('give the time of a photo of the message\'s day', () => {
    expect(facts('2026-11-22T09:28')).toBe('9:28 撮影')
    expect(facts('2026-11-22T09:30', '2026-11-22T09:28')).toBe('9:28–9:30 撮影')
  })

  it('give the day as well where one is of another', () => {
    expect(facts('2026-11-20T01:09')).toBe('11月20日(金) 1:09 撮影')
    expect(facts('2026-11-20T01:09', '2026-11-20T01:20')).toBe('11月20日(金) 1:09–1:20 撮影')
    expect(facts('2026-11-22T09:28', '2026-11-21T23:50')).toBe('11月21日(土) 23:50–11月22日(日) 9:28 撮影')
  })
})

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [40_000, '39.1 KB'],
    [2_516_582, '2.4 MB'],
    [524_288_000, '500 MB'],
    [5_368_709_120, '5 GB'],
  ])('of %i bytes', (bytes, said) => {
    expect(size(bytes, 'ja')).toBe(said)
  })

  it('tell the time left in round words', () => {
    expect([3_000, 42_000, 61_000, 3_600_000, 4_500_000, 7_100_000].map((left) => timeLeft(left, ja))).toEqual([
      'まもなく終わります',
      '残り約50秒',
      '残り約2分',
      '残り約1時間',
      '残り約1時間20分',
      '残り約2時間',
    ])
  })
})

describe('kinds of files', () => {
  it.each([
    ['図面.DXF', 'drawing', 'DXF'],
    ['数量.xlsx', 'sheet', 'XLSX'],
    ['報告書.pdf', 'document', 'PDF'],
    ['.htaccess', 'other', ''],
    ['名前だけ', 'other', ''],
    ['x.tar.gz', 'archive', 'GZ'],
    ['a.verylongending', 'other', ''],
  ])('%s', (name, kind, ending) => {
    expect([fileKind(name), extension(name)]).toEqual([kind, ending])
  })
})
