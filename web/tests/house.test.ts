import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const files = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))

describe('the lock file', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>
  }

  it('names no address: every network has a registry of its own', () => {
    expect(read('package-lock.json')).not.toMatch(/https?:/)
    for (const entry of Object.values(lock.packages)) expect(entry.resolved).toBeUndefined()
  })

  it('pins every package by its content', () => {
    for (const [name, entry] of Object.entries(lock.packages)) {
      if (name !== '') expect(entry.integrity, name).toMatch(/^sha512-/)
    }
  })

  it('belongs to exact versions in package.json', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    for (const version of Object.values({ ...dependencies, ...devDependencies })) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

describe('the sources', () => {
  const sources = files('src').filter((path) => /\.(ts|svelte|css)$/.test(path))

  it('keep one idea a file', () => {
    for (const path of sources) expect(read(path).split('\n').length, path).toBeLessThan(400)
  })

  it('load nothing from elsewhere', () => {
    for (const path of [...sources, 'index.html', 'handin.html']) {
      expect(read(path).replaceAll('http://www.w3.org/2000/svg', ''), path).not.toMatch(/(src|href|url\()\s*=?\s*['"]?(https?:)?\/\//)
    }
  })

  it('never hand text to the HTML parser', () => {
    for (const path of sources) expect(read(path), path).not.toMatch(/@html|innerHTML|insertAdjacentHTML|document\.write|\beval\b/)
  })

  it('keep the protocol free of the page', () => {
    for (const path of sources.filter((name) => name.startsWith('src/protocol/'))) {
      expect(read(path), path).not.toMatch(/from '\.\.\/|svelte/)
    }
  })

  it('keep those who hand in by a link apart from the client: no session, and none of its state', () => {
    for (const path of sources.filter((name) => name.startsWith('src/handin/'))) {
      expect(read(path), path).not.toMatch(/from '[^']*(\/state\/|\/session'|\/database'|words\.svelte|text\/words\/)/)
    }
    for (const path of sources.filter((name) => !name.startsWith('src/handin/'))) expect(read(path), path).not.toMatch(/from '[^']*\/handin\//)
  })

  it('guard every field against the input method', () => {
    for (const path of sources.filter((name) => name.endsWith('.svelte'))) {
      const fields = [...read(path).matchAll(/<(input|textarea)\b(?:=>|[^>])*>/gs)].filter(([field]) => !/type="file"/.test(field))
      for (const [field] of fields) expect(field, path).toMatch(/onkeydown/)
      if (fields.length > 0) expect(read(path), path).toMatch(/from '\.\.?\/(\.\.\/)*ime'/)
    }
  })
})
