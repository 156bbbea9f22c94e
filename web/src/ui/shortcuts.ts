import type { Client } from '../state/client.svelte'
import { toMemo } from '../state/memo.svelte'
import { preferences } from '../state/preferences.svelte'
import { route } from '../state/route.svelte'
import { type Pair, pair } from '../text/pair'
import { isComposing } from './ime'
import { open } from './opening'

/**
 * All keys of the product in one table. With `act` a key works everywhere; without, the part itself listens for it, and
 * it stands here so that people find it. Keys without Ctrl do nothing while one writes, and none does while the input
 * method composes or a dialog is open.
 */
export interface Shortcut {
  /** As on the keyboard: `Ctrl+K`, `Alt+↓`, `?`. */
  readonly keys: string[]
  where: 'everywhere' | 'list' | 'timeline' | 'composer'
  what: Pair<string>
  act?: (client: Client) => unknown
}

export const SHORTCUTS: Shortcut[] = [
  { keys: ['Ctrl+K'], where: 'everywhere', what: pair('トークルームを切り替える', 'Switch rooms'), act: open.switcher },
  { keys: ['Ctrl+Shift+F', '/'], where: 'everywhere', what: pair('検索する', 'Search'), act: (client) => open.search(client) },
  // Ctrl+M alone: with Shift, Edge and Firefox would silence the tab.
  { keys: ['Ctrl+M'], where: 'everywhere', what: pair('メモ帳へ、もう一度で元へ', 'To the memo pad, and back'), act: toMemo },
  { keys: ['Alt+↑'], where: 'everywhere', what: pair('前のトークルームへ', 'Room before'), act: (client) => step(client, -1) },
  { keys: ['Alt+↓'], where: 'everywhere', what: pair('次のトークルームへ', 'Room after'), act: (client) => step(client, 1) },
  {
    keys: ['Alt+Shift+↓'],
    where: 'everywhere',
    what: pair('次の未読トークルームへ', 'Next unread room'),
    act: (client) => step(client, 1, true),
  },
  { keys: ['?'], where: 'everywhere', what: pair('キーの一覧を開く', 'Show these keys'), act: () => open.shortcuts() },
  { keys: ['Esc'], where: 'everywhere', what: pair('開いているものを閉じる', 'Close what is open') },
  { keys: ['↑', '↓'], where: 'list', what: pair('一覧の中を移動する', 'Move within the list') },
  { keys: ['Enter'], where: 'list', what: pair('選んだトークルームを開く', 'Open the chosen room') },
  { keys: ['J', 'K'], where: 'timeline', what: pair('次・前のメッセージへ', 'Message after, message before') },
  { keys: ['Shift+F10'], where: 'timeline', what: pair('メッセージの操作を開く', 'Open what can be done with a message') },
  {
    get keys() {
      return preferences.sendKey === 'enter' ? ['Enter'] : ['Ctrl+Enter']
    },
    where: 'composer',
    what: pair('送信する(設定で変えられます)', 'Send (the settings say by which)'),
  },
  {
    get keys() {
      return preferences.sendKey === 'enter' ? ['Shift+Enter'] : ['Enter']
    },
    where: 'composer',
    what: pair('改行する', 'New line'),
  },
  { keys: ['@'], where: 'composer', what: pair('相手を選んでメンションする', 'Mention somebody') },
  { keys: ['↑'], where: 'composer', what: pair('何も書いていないとき、直前の自分の投稿を編集する', 'Where nothing is written: edit your last message') },
]

const NAMES: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }

export function pressed(event: KeyboardEvent): string {
  const held = event.ctrlKey || event.metaKey || event.altKey
  return [
    event.ctrlKey || event.metaKey ? 'Ctrl+' : '',
    event.altKey ? 'Alt+' : '',
    // Of a sign that needs Shift to be typed, Shift is a part already.
    held && event.shiftKey ? 'Shift+' : '',
    NAMES[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key),
  ].join('')
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}

/** Carries out a key that means something everywhere. */
export function onkeydown(event: KeyboardEvent, client: Client): void {
  if (event.defaultPrevented || isComposing(event) || document.querySelector('dialog:modal') !== null) return
  const key = pressed(event)
  if (writes(event.target) && !key.startsWith('Ctrl+')) return
  const found = SHORTCUTS.find(({ keys, act }) => act !== undefined && keys.includes(key))
  if (found === undefined) return
  event.preventDefault()
  found.act?.(client)
}

function step(client: Client, by: 1 | -1, unread = false): void {
  const rooms = client.rooms.groups.flatMap((group) => group.rooms)
  const here = rooms.findIndex(({ id }) => id === route.room)
  const ordered = by > 0 ? [...rooms.slice(here + 1), ...rooms.slice(0, Math.max(here, 0))] : rooms.slice(0, Math.max(here, 0)).reverse()
  const next = unread ? ordered.find((room) => room.unread > 0) : ordered[0]
  if (next !== undefined) route.go(next.id)
}
