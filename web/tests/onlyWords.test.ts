import { describe, expect, it } from 'vitest'
import type { Message } from '../src/protocol/types'
import { onlyWords } from '../src/text/onlyWords'

const message = (extra: Partial<Message>) => ({ id: 'm', seq: 1, kind: 'text', text: '倒木です', ...extra }) as Message

describe('a message that is nothing but words', () => {
  it('shows them as they were written', () => {
    expect(onlyWords(message({}))).toBe('倒木です')
    expect(onlyWords(message({ text: '一行目\n二行目', blocks: [{ type: 'text', text: '一行目\n二行目' }] }))).toBe('一行目\n二行目')
  })

  it.each<[string, Partial<Message>]>([
    ['redacted', { redacted: 2, text: '' }],
    ['quotes', { quote: { id: 'q', seq: 1 } }],
    ['was forwarded', { forward: { author: '田中', department: '道路課', at: 1 } }],
    ['has files', { attachments: [] }],
    ['asks for confirmation', { confirm: { by: 9 } }],
    ['was edited', { edited: 3 }],
    ['has reactions', { reactions: [] }],
    ['is long', { text: 'あ\n'.repeat(60) }],
    ['has a link', { text: '見て https://example.org/a' }],
    ['has nothing but a link', { text: 'https://example.org/a' }],
    ['calls somebody', { blocks: [{ type: 'text', text: '<@user:u1> 確認を' }], mentions: { 'user:u1': '田中' } }],
    ['is empty', { text: '' }],
  ])('is not one that %s', (_, extra) => {
    expect(onlyWords(message(extra))).toBeNull()
  })
})
