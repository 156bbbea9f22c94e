/** What kind of thing a file is, for its mark: by its name, as the person who sent it sees it. */

export type FileKind = 'document' | 'sheet' | 'slides' | 'drawing' | 'picture' | 'archive' | 'film' | 'other'

const KINDS: [FileKind, string][] = [
  ['document', 'pdf doc docx docm odt rtf txt md jtd jtdc xdw xbd eml msg html htm'],
  ['sheet', 'xls xlsx xlsm xlsb ods csv tsv'],
  ['slides', 'ppt pptx pptm odp'],
  ['drawing', 'dxf dwg jww jwc sfc sfz p21 p2z svg shp kml gml'],
  ['picture', 'jpg jpeg png gif webp heic heif bmp tif tiff'],
  ['archive', 'zip lzh 7z rar tar gz'],
  ['film', 'mp4 mov avi wmv mp3 m4a wav'],
]

export function fileKind(name: string): FileKind {
  const ending = extension(name).toLowerCase()
  return KINDS.find(([, endings]) => ending !== '' && endings.split(' ').includes(ending))?.[0] ?? 'other'
}

/** At most five characters, so that it fits its mark; empty without one. */
export function extension(name: string): string {
  return /[^.]\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1]?.toUpperCase() ?? ''
}
