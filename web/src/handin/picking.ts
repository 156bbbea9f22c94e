/** What was picked, dropped or taken, as files with the names under which they go. */

/** What systems leave in folders; nobody means to hand it in. */
const LEFT_BY_SYSTEMS = /^(thumbs\.db|desktop\.ini|\.ds_store|\._.*|~\$.*|\.~lock\..*)$/i
/** Phones call every photo so. */
const NAMELESS = /^image\.(jpe?g|png|heic|webp)$/i
/** A whole disk that is dropped ends somewhere. */
const MOST = 2_000

export interface Taken {
  files: File[]
  /** Left out as nobody's. */
  skipped: number
}

/** `camera`: what has no name of its own gets one by its time. */
export function taken(list: Iterable<File>, camera = false, now = new Date()): Taken {
  const all = [...list]
  const files = all.filter(({ name }) => !LEFT_BY_SYSTEMS.test(name))
  return { files: files.map((file) => named(file, camera, now)), skipped: all.length - files.length }
}

function named(file: File, camera: boolean, now: Date): File {
  const name = camera && NAMELESS.test(file.name) ? `${stamp(now)}${file.name.slice(5).toLowerCase()}` : file.webkitRelativePath || file.name
  // The same bytes under another name: nothing is read.
  return name === file.name ? file : new File([file], name, { type: file.type, lastModified: file.lastModified })
}

function stamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${day}_${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}

/** Folders with all that is in them. To be called while the drop is happening: after it, browsers forget what it held. */
export async function dropped(data: DataTransfer): Promise<Taken> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  if (entries.every(({ isFile }) => isFile)) return taken(data.files)
  const found: File[] = []
  for (const entry of entries) await walk(entry, '', found)
  const files = found.filter(({ name }) => !LEFT_BY_SYSTEMS.test(name.split('/').at(-1)!))
  return { files, skipped: found.length - files.length }
}

async function walk(entry: FileSystemEntry, folder: string, found: File[]): Promise<void> {
  if (found.length >= MOST) return
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.push(folder === '' ? file : new File([file], `${folder}${file.name}`, { type: file.type, lastModified: file.lastModified }))
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const one of some) await walk(one, `${folder}${entry.name}/`, found)
  }
}
