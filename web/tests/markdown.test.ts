import { describe, expect, it } from 'vitest'
import { type Inline, inline } from '../src/text/inline'
import { type Block, markdown } from '../src/text/markdown'
import { leadsOutside } from '../src/text/outside'

const words = (nodes: Inline[]): string =>
  nodes
    .map((node) => (node.type === 'break' ? '\n' : 'children' in node ? words(node.children) : node.text))
    .join('')
const link = (source: string) => inline(source).filter((node) => node.type === 'link')
const only = <T extends Block['type']>(source: string, type: T): Block & { type: T } => {
  const [block, ...rest] = markdown(source)
  expect(rest).toEqual([])
  expect(block?.type).toBe(type)
  return block as Block & { type: T }
}

describe('what is not words in Markdown', () => {
  it('is a heading, a rule, a quote, code', () => {
    expect(only('## 経過 ##', 'heading')).toEqual({ type: 'heading', level: 2, children: [{ type: 'text', text: '経過' }] })
    expect(only('経過\n---', 'heading').level).toBe(2)
    expect(only('* * *', 'rule')).toEqual({ type: 'rule' })
    expect(only('> 承知しました。\n> 対応します。', 'quote').blocks).toHaveLength(1)
    expect(only('```\n# 見出しではない\n```', 'code').text).toBe('# 見出しではない')
    expect(markdown('#見出しではない')[0]?.type).toBe('paragraph')
  })

  it('is a list, with what lies within its items', () => {
    const list = only('- 倒木\n  片側通行\n  - 枝\n- 看板\n\n- 清掃', 'list')
    expect(list.items.map(({ blocks }) => blocks.map(({ type }) => type))).toEqual([['paragraph', 'list'], ['paragraph'], ['paragraph']])
    const numbered = only('3. 撤去\n4. 清掃', 'list')
    expect([numbered.ordered, numbered.start, numbered.items.length]).toEqual([true, 3, 2])
    expect(markdown('- 一\n1. 二').map(({ type }) => type)).toEqual(['list', 'list'])
  })

  it('is a check list', () => {
    const list = only('- [x] 連絡\n- [ ] 撤去\n- [対応]', 'list')
    expect(list.items.map(({ checked }) => checked)).toEqual([true, false, null])
    expect(words((list.items[0]!.blocks[0] as { children: Inline[] }).children)).toBe('連絡')
  })

  it('is a table, whose rows have as many cells as its head', () => {
    const table = only('| 時刻 | 内容 | 数 |\n|:---|:-:|--:|\n| 9:31 | **通報** |\n| 9:40 | 手配 \\| 連絡 | 2 | 余り |', 'table')
    expect(table.align).toEqual(['left', 'center', 'right'])
    expect(table.rows.map((row) => row.map(words))).toEqual([['9:31', '通報', ''], ['9:40', '手配 | 連絡', '2']])
    expect(markdown('あ | い\nう | え')[0]?.type).toBe('paragraph')
  })

  it('is where two people wrote at once', () => {
    const source = '前\n〔同時に編集されました: 田中 美咲〕\n10時\n〔同時に編集されました: 高橋 健〕\n11時\n〔ここまで〕\n後'
    expect(markdown(source).map((block) => (block.type === 'mark' ? [block.text, block.begins] : block.type))).toEqual([
      'paragraph', ['同時に編集されました: 田中 美咲', true], 'paragraph',
      ['同時に編集されました: 高橋 健', true], 'paragraph', ['ここまで', false], 'paragraph',
    ])
  })
})

describe('within a line', () => {
  it('emphasis begins and ends beside words, also between Japanese ones', () => {
    expect(inline('至急**10時**まで')).toEqual([
      { type: 'text', text: '至急' },
      { type: 'strong', children: [{ type: 'text', text: '10時' }] },
      { type: 'text', text: 'まで' },
    ])
    expect(inline('**「至急」**です。')[0]?.type).toBe('strong')
    expect(inline('~~中止~~')).toEqual([{ type: 'del', children: [{ type: 'text', text: '中止' }] }])
    expect(inline('***両方***')).toEqual([{ type: 'strong', children: [{ type: 'em', children: [{ type: 'text', text: '両方' }] }] }])
  })

  it('signs that are no emphasis stay', () => {
    for (const plain of ['2 * 3 * 4', '**閉じない', 'R8_維持_12.dxf_old', '~1', '****', '`閉じない', '[未定]', '![', 'a\\b']) {
      expect(words(inline(plain)), plain).toBe(plain)
      expect(inline(plain).every(({ type }) => type === 'text'), plain).toBe(true)
    }
    expect(words(inline('\\*そのまま\\*'))).toBe('*そのまま*')
  })

  it('keeps the lines as they were written', () => {
    expect(inline('一行目  \n二行目').map(({ type }) => type)).toEqual(['text', 'break', 'text'])
  })

  it('code shows signs', () => {
    expect(inline('``a ` **b**``')).toEqual([{ type: 'code', text: 'a ` **b**' }])
  })
})

describe('a link', () => {
  it('is one written out, or one with words', () => {
    expect(link('県(https://example.jp/a_b_c?x=1)の通知。')).toEqual([
      { type: 'link', href: 'https://example.jp/a_b_c?x=1', children: [{ type: 'text', text: 'https://example.jp/a_b_c?x=1' }] },
    ])
    expect(link('[県の**通知**](https://example.jp/wiki_(道路) "題")')).toHaveLength(1)
    expect(link('[図](<https://example.jp/a b>)')).toHaveLength(1)
  })

  it('never leads to a script, to data, or into this page', () => {
    for (const address of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', ' javascript:x', '//example.jp', '/api/me', '#/rooms/1', 'vbscript:x']) {
      expect(link(`[押す](${address})`), address).toEqual([])
    }
  })

  it('has no other within its words', () => {
    const [outer] = link('[a [b](https://example.jp/b) https://example.jp/c](https://example.jp/a)')
    expect(outer?.href).toBe('https://example.jp/a')
    expect(outer?.children.filter(({ type }) => type === 'link')).toEqual([])
  })

  it('leads outside, or to where a closed network leads', () => {
    const own = 'chat.midorino.local'
    for (const href of ['https://example.jp/', 'https://8.8.8.8/', 'https://172.32.0.1/', 'https://[2001:db8::1]/', 'https://lgwan.jp.example.com/']) {
      expect(leadsOutside(href, own), href).toBe(true)
    }
    for (const href of [`https://${own}/x`, 'http://gyosei/', 'http://10.1.2.3:8080/', 'https://172.16.0.1/', 'https://a.asp.lgwan.jp/', 'http://[fd00::1]/']) {
      expect(leadsOutside(href, own), href).toBe(false)
    }
  })
})

describe('HTML', () => {
  it('is words, and pictures are their description', () => {
    const source = '<script>alert(1)</script>\n<img src=x onerror=alert(1)> ![現場](https://example.jp/a.jpg) &lt;b&gt;'
    const paragraph = only(source, 'paragraph')
    expect(words(paragraph.children)).toBe('<script>alert(1)</script>\n<img src=x onerror=alert(1)> ［現場］ &lt;b&gt;')
    expect(paragraph.children.map(({ type }) => type)).toEqual(['text', 'break', 'text'])
  })
})

describe('what is written to be slow', () => {
  const N = 50_000
  it.each([
    ['**a '.repeat(N / 4)], ['*'.repeat(N)], ['_a'.repeat(N / 2)], ['*a_b~~'.repeat(N / 6)], ['['.repeat(N)], ['[a]('.repeat(N / 4)],
    ['![['.repeat(N / 3)], [`${'['.repeat(N / 2)}${'](x)'.repeat(N / 8)}`], [Array.from({ length: 300 }, (_, n) => '`'.repeat(n)).join('a')],
    ['>'.repeat(N)], ['- '.repeat(N / 2)], ['- a\n'.repeat(N / 4)], ['\n'.repeat(N)], ['- a\n\n\n'.repeat(N / 6)], ['|a'.repeat(N / 2)],
    ['# '.repeat(N / 2)], ['http://'.repeat(N / 7)], ['~~~\n'.repeat(N / 4)], ['1. '.repeat(N / 3)], ['\\'.repeat(N)], ['  '.repeat(N / 2)],
    [`|a|b|\n|-|-|\n${'|x|y|\n'.repeat(N / 6)}`], [`- a${'\n'.repeat(N / 2)}${'  b\n'.repeat(N / 8)}`],
  ])('costs no more than its length (%#)', (source) => {
    const began = process.cpuUsage()
    markdown(source)
    // Of the processor, not of the clock: others may be at work.
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(1_000)
  })
})
