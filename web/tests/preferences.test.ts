import { beforeEach, describe, expect, it, vi } from 'vitest'
import { beginOf, endOf, lastDay } from '../src/state/days'
import { isQuiet } from '../src/state/quiet'
import { load, loadFields, save } from '../src/state/stored'
import { plainText } from '../src/text/plain'
import type { Message } from '../src/protocol/types'

describe('quiet hours', () => {
  const night = { on: true, from: '18:00', until: '08:30', weekends: false }
  // 2026-11-27 is a Friday.
  const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute)

  it('run over midnight', () => {
    expect(isQuiet(night, at(27, 17, 59))).toBe(false)
    expect(isQuiet(night, at(27, 18))).toBe(true)
    expect(isQuiet(night, at(28, 0))).toBe(true)
    expect(isQuiet(night, at(28, 8, 29))).toBe(true)
    expect(isQuiet(night, at(28, 8, 30))).toBe(false)
  })

  it('stay within a day', () => {
    const lunch = { ...night, from: '12:00', until: '13:00' }
    expect(isQuiet(lunch, at(27, 12, 30))).toBe(true)
    expect(isQuiet(lunch, at(27, 13))).toBe(false)
  })

  it('are all of the weekend, if one wants so', () => {
    expect(isQuiet(night, at(28, 12))).toBe(false)
    expect(isQuiet({ ...night, weekends: true }, at(28, 12))).toBe(true)
    expect(isQuiet({ ...night, weekends: true }, at(27, 12))).toBe(false)
  })

  it('are none where they are off or make no sense', () => {
    expect(isQuiet({ ...night, on: false }, at(27, 23))).toBe(false)
    expect(isQuiet({ ...night, from: '', until: '25:00' }, at(27, 23))).toBe(false)
    expect(isQuiet({ ...night, from: '09:00', until: '09:00' }, at(27, 23))).toBe(false)
  })
})

describe('what is stored', () => {
  const kept = new Map<string, string>()
  beforeEach(() => {
    kept.clear()
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    })
  })

  it('is taken field by field, and only what has the right kind', () => {
    const standard = { notify: false, from: '18:00' }
    save('work', JSON.stringify({ notify: true, from: 7, stranger: 'x' }))
    expect(loadFields('work', standard)).toEqual({ notify: true, from: '18:00' })
    for (const broken of ['', '{', 'null', '[]', '"text"', '7']) {
      save('work', broken)
      expect(loadFields('work', standard)).toEqual(standard)
    }
  })

  it('is nothing where the browser forbids it', () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new DOMException('denied', 'SecurityError')
      },
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError')
      },
    })
    expect(load('work')).toBeNull()
    expect(() => save('work', 'x')).not.toThrow()
    expect(loadFields('work', { notify: false })).toEqual({ notify: false })
  })
})

describe('a last day', () => {
  it('counts until its end', () => {
    expect(beginOf('2027-03-31')).toBe(new Date(2027, 2, 31).getTime())
    expect(endOf('2027-03-31')).toBe(new Date(2027, 3, 1).getTime())
    expect(lastDay(endOf('2027-03-31')!)).toBe('2027-03-31')
    expect([beginOf(''), endOf('tomorrow')]).toEqual([null, null])
  })
})

describe('a message in one line', () => {
  const said = (text: string, mentions: Record<string, string>) => plainText({ text, mentions } as Message)

  it('has names in the place of mentions', () => {
    expect(said('<@user:u1> 倒木です。\n至急', { 'user:u1': '田中 美咲' })).toBe('@田中 美咲 倒木です。 至急')
    expect(said('<@everyone> 集合', { everyone: '全員' })).toBe('@全員 集合')
    expect(said('<@user:gone> 様', {})).toBe('@… 様')
  })
})
