import { describe, expect, it } from 'vitest'
import { uprightExif, withExif } from '../src/protocol/exif'
import { batches } from '../src/text/captions'

const photos = (count: number) => Array.from({ length: count }, (_, index) => ({ caption: '', mark: '', index }))

describe('captions', () => {
  it('are lines of the words, by the number of the photo', () => {
    const [first, second, third] = photos(3)
    const marked = [{ ...first!, mark: '着手前', caption: ' 倒木の\n全景 ' }, second!, { ...third!, caption: '標識' }]
    expect(batches(marked, ' 緑町です。 ', 10)).toEqual([
      { text: '緑町です。\n\n1. 【着手前】倒木の 全景\n3. 標識', photos: marked },
    ])
  })

  it('are not there where nothing was said', () => {
    expect(batches(photos(2), '', 10).map(({ text }) => text)).toEqual([''])
    expect(batches([], 'ことば', 10)).toEqual([{ text: 'ことば', photos: [] }])
  })

  it('count on through several messages, in order', () => {
    const many = photos(23).map((photo) => ({ ...photo, caption: `写真${photo.index + 1}` }))
    const sent = batches(many, 'ひとこと', 10)
    expect(sent.map((batch) => batch.photos.length)).toEqual([10, 10, 3])
    expect(sent.flatMap((batch) => batch.photos)).toEqual(many)
    expect(sent[0]!.text.startsWith('ひとこと\n\n1. 写真1\n')).toBe(true)
    expect(sent[2]!.text).toBe('21. 写真21\n22. 写真22\n23. 写真23')
  })
})

/** A JPEG's beginning with an Exif segment: byte order, orientation and one more field. */
function jpeg(little: boolean, orientation: number): Uint8Array {
  const tiff = new DataView(new ArrayBuffer(8 + 2 + 2 * 12 + 4))
  tiff.setUint16(0, little ? 0x4949 : 0x4d4d)
  tiff.setUint16(2, 42, little)
  tiff.setUint32(4, 8, little)
  tiff.setUint16(8, 2, little)
  for (const [index, [tag, value]] of [[0x0100, 77], [0x0112, orientation]].entries()) {
    tiff.setUint16(10 + 12 * index, tag!, little)
    tiff.setUint16(12 + 12 * index, 3, little)
    tiff.setUint32(14 + 12 * index, 1, little)
    tiff.setUint16(18 + 12 * index, value!, little)
  }
  const length = 2 + 6 + tiff.byteLength
  const head = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xe1, length >> 8, length & 255, 0x45, 0x78, 0x69, 0x66, 0, 0]
  return new Uint8Array([...head, ...new Uint8Array(tiff.buffer), 0xff, 0xda, 0, 2, 9])
}

describe('time and place of a photo that was made smaller', () => {
  it.each([true, false])('stay, and it stands upright (little endian: %s)', (little) => {
    const exif = uprightExif(jpeg(little, 6))!
    expect([exif[0], exif[1]]).toEqual([0xff, 0xe1])
    const view = new DataView(exif.buffer, exif.byteOffset + 10)
    expect(view.getUint16(8 + 2 + 8, little)).toBe(77)
    expect(view.getUint16(8 + 2 + 12 + 8, little)).toBe(1)
    const whole = withExif(new Uint8Array([0xff, 0xd8, 0xff, 0xda, 5]), exif)
    expect([...whole.slice(0, 4)]).toEqual([0xff, 0xd8, 0xff, 0xe1])
    expect([...whole.slice(-3)]).toEqual([0xff, 0xda, 5])
  })

  it('are left out where they make no sense, whatever the bytes say', () => {
    const good = jpeg(true, 6)
    expect(uprightExif(new Uint8Array([0x89, 0x50]))).toBeNull()
    expect(uprightExif(new Uint8Array([0xff, 0xd8, 0xff, 0xda, 0, 2]))).toBeNull()
    for (let end = 0; end < good.length - 5; end++) expect(uprightExif(good.slice(0, end))).toBeNull()
    const wild = good.slice()
    wild.set([0xff, 0xff, 0xff, 0x7f], 12 + 6 + 4)
    expect(uprightExif(wild)).toBeNull()
  })
})
