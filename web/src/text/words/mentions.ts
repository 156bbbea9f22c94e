import { pair } from '../pair'

/** Calling somebody in a message. */
export const mentions = pair(
  {
    button: 'メンション',
    title: 'メンションする相手',
    loading: 'メンバーを読み込んでいます',
    failed: 'メンバーを読み込めませんでした。つながると選べます。',
    none: '当てはまるメンバーはいません。',
    outside: '外部の方',
    department: '所属',
    people: (count: number) => `${count}人`,
    san: (name: string) => `${name}さん`,
    found: (count: number) => `${count}件の候補`,
    ask: (count: number) => `このメッセージは${count}人に通知されます。よろしいですか。`,
    askOutside: (count: number, names: string) => `このメッセージは、外部の方(${names})を含む${count}人に通知されます。よろしいですか。`,
    confirm: (count: number) => `${count}人に通知して送信する`,
  },
  {
    button: 'Mention',
    title: 'Whom to mention',
    loading: 'Loading the members',
    failed: 'The members could not be loaded. You can choose once you are connected.',
    none: 'Nobody here has such a name.',
    outside: 'from outside',
    department: 'department',
    people: (count) => `${count}`,
    san: (name) => name,
    found: (count) => `${count} found`,
    ask: (count) => `This message notifies ${count} people.`,
    askOutside: (count, names) => `This message notifies ${count} people, some of them from outside (${names}).`,
    confirm: (count) => `Notify ${count} people and send`,
  },
)
