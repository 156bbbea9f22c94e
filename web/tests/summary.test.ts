import { describe, expect, it, vi } from 'vitest'
import type { Message } from '../src/protocol/types'

const message = (extra: Partial<Message>) => ({ id: 'm', seq: 1, kind: 'text', ...extra }) as Message

describe('what a message says in a line', async () => {
  vi.stubGlobal('document', { documentElement: {} })
  const { summary, wordsOf } = await import('../src/text/summary')
  const files = [{ id: 'p', kind: 'photo' }, { id: 'q', kind: 'photo' }, { id: 'f', kind: 'file' }] as Message['attachments']

  it('is its words and what it carries, counted here and not by the server', () => {
    const blocks = [{ type: 'text', text: '<@user:u1> 見てください' }, { type: 'photos', ids: ['p', 'q'] }] as Message['blocks']
    const one = message({ text: '@田中 美咲 見てください\n写真 2枚', blocks, mentions: { 'user:u1': '田中 美咲' } })
    expect(wordsOf(one)).toBe('@田中 美咲 見てください')
    expect(summary({ ...one, attachments: files })).toBe('@田中 美咲 見てください ・ 写真2枚、ファイル1件')
    expect(summary(message({ text: '写真 2枚', blocks: [blocks![1]!], attachments: files }))).toBe('写真2枚、ファイル1件')
    expect(summary(one)).toBe('@田中 美咲 見てください')
  })

  it('is the plain text where a block is not known here', () => {
    const card = message({ text: '出欠\n写真 1枚', blocks: [{ type: 'card', v: 1 }] as unknown as Message['blocks'], attachments: files })
    expect(summary(card)).toBe('出欠\n写真 1枚')
  })
})
