import { SvelteSet } from 'svelte/reactivity'
import type { MessageId } from '../protocol/types'

/** Long messages that somebody opened: they stay open while their rows come and go. */
export const unfolded = new SvelteSet<MessageId>()
