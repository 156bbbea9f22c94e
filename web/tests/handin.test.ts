import { describe, expect, it } from 'vitest'
import { taken } from '../src/handin/picking'
import { fitting } from '../src/handin/room'

const asked = { most_files: 3, most_bytes: 1000 }
const file = (name: string, size: number) => ({ name, size })

describe('what goes into a link', () => {
  it('is what is left of its limits, with a reason for the rest', () => {
    const there = [file('a.pdf', 300)]
    const picked = [file('b.pdf', 0), file('a.pdf', 300), file('c.pdf', 800), file('d.pdf', 700), file('e.pdf', 1)]
    const { fit, refused } = fitting(asked, there, picked)
    expect(fit.map(({ name }) => name)).toEqual(['d.pdf'])
    expect(refused).toEqual([
      { name: 'b.pdf', why: 'empty' },
      { name: 'a.pdf', why: 'twice' },
      { name: 'c.pdf', why: 'too large' },
      { name: 'e.pdf', why: 'too large' },
    ])
    expect(fitting(asked, there, ['1', '2', '3'].map((name) => file(name, 1))).refused).toEqual([{ name: '3', why: 'too many' }])
  })

  it('is one file, however often it is picked at once', () => {
    expect(fitting(asked, [], [file('a', 1), file('a', 1), file('a', 2)]).fit).toHaveLength(2)
  })
})

describe('what is picked', () => {
  const made = (name: string, path = '') => Object.defineProperty(new File(['x'], name), 'webkitRelativePath', { value: path })

  it('leaves out what systems put into folders', () => {
    const { files, skipped } = taken([made('Thumbs.db'), made('.DS_Store'), made('._a.jpg'), made('~$調書.xlsx'), made('調書.xlsx')])
    expect(files.map(({ name }) => name)).toEqual(['調書.xlsx'])
    expect(skipped).toBe(4)
  })

  it('keeps the folder in the name, and gives the photos of a camera names of their own', () => {
    const now = new Date(2026, 10, 28, 9, 5, 7)
    expect(taken([made('遠景.jpg', '緑橋/遠景.jpg')]).files[0]!.name).toBe('緑橋/遠景.jpg')
    expect(taken([made('image.JPG')], true, now).files[0]!.name).toBe('20261128_090507.jpg')
    expect(taken([made('image.jpg')]).files[0]!.name).toBe('image.jpg')
  })
})
