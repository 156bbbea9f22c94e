import { describe, expect, it } from 'vitest'
import { en } from '../src/text/en'
import { ja } from '../src/text/ja'
import type { Pair } from '../src/text/pair'

const modules = import.meta.glob<Record<string, Pair<object>>>(['../src/text/words/*.ts', '../src/handin/words.ts'], { eager: true })
const pairs = Object.entries(modules).flatMap(([path, exported]) =>
  Object.entries(exported)
    .filter(([, value]) => typeof value === 'object' && 'ja' in value && 'en' in value)
    .map(([name, value]) => ({ name: `${path.split('/').at(-1)} ${name}`, ...value })),
)
const all = [{ name: 'the first page', ja, en }, ...pairs]

const leaves = (value: unknown, path = ''): [string, unknown][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
    : [[path, value]]
const spoken = (value: unknown): string => String(value)
/** What is the same in every language: the names of the product and of the bots that come with it, and what they are asked. */
const NAMES = /連絡|投票・出欠|リマインダー|使い方/g
/** Tables by what travels in Japanese: only the one side needs them. */
const TABLES = /^\.(shown|signNames)\./
const JAPANESE = /[\u3041-\u30ff\u4e00-\u9fff]/

describe.each(all)('the words of $name', ({ ja, en }) => {
  it('are the same in both languages', () => {
    const kinds = (words: object) => leaves(words)
        .filter(([path]) => !TABLES.test(path))
        .map(([path, value]) => `${path}: ${typeof value}`)
        .sort()
    expect(kinds(en)).toEqual(kinds(ja))
  })

  it('are Japanese in the one and not in the other', () => {
    for (const [path, value] of leaves(en)) {
      // The name of a language is written in that language.
      if (!/language/i.test(path)) expect(spoken(value).replace(NAMES, ''), path).not.toMatch(JAPANESE)
    }
    for (const [path, value] of leaves(ja)) {
      // An example, a unit or a code alone needs no Japanese.
      if (typeof value === 'string' && /[a-z]{4,} [a-z]/.test(value)) expect(value, path).toMatch(JAPANESE)
    }
  })

  it('carry no exclamation marks', () => {
    for (const [path, value] of [...leaves(ja), ...leaves(en)]) expect(spoken(value), path).not.toMatch(/[!！](?!=)/)
  })
})
