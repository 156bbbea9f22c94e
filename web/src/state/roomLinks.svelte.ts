import type { Api } from '../protocol/api'
import { type FileOfLink, linksApi, type NewLink, type UploadLink } from '../protocol/linksApi'
import type { RoomId } from '../protocol/types'

/** The upload links of a room while its dialog is open. */
export class RoomLinks {
  items = $state.raw<readonly UploadLink[]>([])
  files = $state.raw<Readonly<Record<string, readonly FileOfLink[]>>>({})
  /** The address that was just made: of which link. It is nowhere else, and goes with the dialog. */
  made = $state.raw<{ link: UploadLink; address: string | null } | null>(null)
  readonly #room: RoomId
  readonly #api: ReturnType<typeof linksApi>

  constructor(room: RoomId, api: Api) {
    this.#room = room
    this.#api = linksApi(api)
  }

  async load(): Promise<void> {
    this.items = (await this.#api.of(this.#room)).items
  }

  async ask(link: NewLink): Promise<void> {
    await this.#open(await this.#api.ask(this.#room, link))
  }

  /** The token stands behind the #, which browsers send to nobody. */
  async address(link: UploadLink): Promise<void> {
    this.#took(link)
    const { token, page, ...given } = await this.#api.address(link.id)
    this.#took(given)
    this.made = { link: given, address: token === null ? null : `${page || location.origin}/handin#${token}` }
  }

  async extend(link: UploadLink, ends: number): Promise<void> {
    this.#took(await this.#api.extend(link.id, ends))
  }

  async close(link: UploadLink): Promise<void> {
    this.#took(await this.#api.close(link.id))
  }

  async revoke(link: UploadLink): Promise<void> {
    this.#took(await this.#api.revoke(link.id))
  }

  async again(link: UploadLink, ends: number): Promise<void> {
    await this.#open(await this.#api.again(link.id, ends))
  }

  async look(link: UploadLink): Promise<void> {
    const { files, ...now } = await this.#api.one(link.id)
    this.files = { ...this.files, [link.id]: files }
    this.#took(now)
  }

  /** A new one: it is there, even if its address was lost on the way. */
  async #open(link: UploadLink): Promise<void> {
    await this.address(link).catch(() => (this.made = { link, address: null }))
  }

  #took(link: UploadLink): void {
    const known = this.items.some(({ id }) => id === link.id)
    this.items = known ? this.items.map((one) => (one.id === link.id ? link : one)) : [link, ...this.items]
  }
}
