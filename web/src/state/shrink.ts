import { uprightExif, withExif } from '../protocol/exif'

const LONGEST = 2048
const QUALITY = 0.85

/** A smaller copy, upright, with its time and place; the original where the browser cannot draw it or nothing is gained. */
export async function smaller(file: File | Blob): Promise<Blob> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return file
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(bitmap.width * scale)
  canvas.height = Math.round(bitmap.height * scale)
  const context = canvas.getContext('2d')
  context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  const drawn = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  // A phone's canvas has its memory until it is small again.
  canvas.width = canvas.height = 0
  if (context === null || drawn === null || drawn.size >= file.size) return file
  const exif = uprightExif(new Uint8Array(await file.slice(0, 256 * 1024).arrayBuffer()))
  if (exif === null) return drawn
  return new Blob([withExif(new Uint8Array(await drawn.arrayBuffer()), exif)], { type: 'image/jpeg' })
}
