import { pair } from '../pair'

/** Who is in a room. */
export const members = pair(
  {
    loading: 'メンバーを読み込んでいます',
    failed: 'メンバーを読み込めませんでした。つながってから、もう一度開いてください。',
    noDepartment: '所属なし',
    guest: '外部の方',
    count: (count: number) => `${count}人`,
  },
  {
    loading: 'Loading the members',
    failed: 'The members could not be loaded. Open this again once you are connected.',
    noDepartment: 'No department',
    guest: 'from outside',
    count: (count) => `${count}`,
  },
)
