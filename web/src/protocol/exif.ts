/**
 * The part of a JPEG that tells when and where it was taken, for a copy that was made smaller: the canvas turned the
 * picture upright and knows nothing of it. Only its bytes are moved; what cannot be read is left out.
 */

const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0]
const ORIENTATION = 0x0112
const UPRIGHT = 1

/** The Exif segment with its marker, its orientation set to upright; null if there is none that makes sense. */
export function uprightExif(jpeg: Uint8Array): Uint8Array | null {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return null
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1]!
    // The picture itself begins: nothing that describes it comes after.
    if (marker === 0xda || marker === 0xd9) return null
    const end = at + 2 + jpeg[at + 2]! * 256 + jpeg[at + 3]!
    if (end > jpeg.length || end < at + 4) return null
    if (marker === 0xe1 && EXIF.every((byte, index) => jpeg[at + 4 + index] === byte)) {
      const segment = jpeg.slice(at, end)
      return straighten(segment) ? segment : null
    }
    at = end
  }
  return null
}

/** `jpeg` with `exif` right after its beginning. */
export function withExif(jpeg: Uint8Array, exif: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(jpeg.length + exif.length)
  result.set(jpeg.subarray(0, 2))
  result.set(exif, 2)
  result.set(jpeg.subarray(2), 2 + exif.length)
  return result
}

function straighten(segment: Uint8Array): boolean {
  const start = 4 + EXIF.length
  const view = new DataView(segment.buffer, segment.byteOffset + start, segment.length - start)
  try {
    const order = view.getUint16(0)
    const little = order === 0x4949
    if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== 42) return false
    const directory = view.getUint32(4, little)
    const count = view.getUint16(directory, little)
    for (let index = 0; index < count; index++) {
      const entry = directory + 2 + 12 * index
      if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, UPRIGHT, little)
    }
    return true
  } catch {
    // It points outside itself.
    return false
  }
}
