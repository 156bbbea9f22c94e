import { forward, memoRoom, say } from '../../state/memo.svelte'
import { notice } from '../../state/notice.svelte'
import { route } from '../../state/route.svelte'
import { failure } from '../../text/failure'
import { text } from '../../text/words.svelte'
import { memoPad } from '../../text/words/memoPad'
import { overlay } from '../overlay.svelte'
import type { Offer } from './act'

export const toMemo: Offer = ({ client, room, message }) => {
  const pad = memoRoom(client)
  if (pad === undefined || room.id === pad.id) return null
  const words = text.of(memoPad)
  return {
    key: 'memo',
    label: words.toMemo,
    run: () =>
      void forward(client, message.id, pad.id).then(
        () => notice.tell(words.sent, false, { label: words.open, run: () => route.go(pad.id) }),
        (error: unknown) => notice.tell(failure(error, words.unreachable), true),
      ),
  }
}

/** What is selected in this very message at the moment the menu opens. */
export const selectionToMemo: Offer = ({ client, room, message }) => {
  const pad = memoRoom(client)
  const selected = selectedIn(message.id)
  if (pad === undefined || room.id === pad.id || selected === '') return null
  const words = text.of(memoPad)
  return {
    key: 'memo-selection',
    label: words.selectionToMemo,
    run: () => {
      say(client, pad.id, selected)
      notice.tell(words.put, false, { label: words.open, run: () => route.go(pad.id) })
    },
  }
}

export const forwardOn: Offer = ({ client, room, message }) => {
  const words = text.of(memoPad)
  return {
    key: 'forward',
    label: room.kind === 'memo' ? words.toRoom : words.forward,
    run: () => overlay.open(() => import('../memo/ForwardDialog.svelte'), { client, room, message }),
  }
}

function selectedIn(message: string): string {
  const selection = getSelection()
  const row = document.querySelector(`[data-message="${message}"]`)
  if (selection === null || selection.isCollapsed || row === null) return ''
  return row.contains(selection.anchorNode) && row.contains(selection.focusNode) ? selection.toString().trim() : ''
}
