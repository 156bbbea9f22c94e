import type { Client } from './client.svelte'
import { lasting } from './lasting.svelte'

/** What one person's client has once, made when it is first wanted, and gone with it. */
export function per<T>(make: (client: Client) => T): (client: Client) => T {
  const made = new WeakMap<Client, T>()
  return (client) => {
    let one = made.get(client)
    if (one === undefined) made.set(client, (one = lasting(() => make(client))))
    return one
  }
}
