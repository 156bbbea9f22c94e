import { pair } from '../pair'

/** Choosing a day and a time. */
export const when = pair(
  {
    quick: 'すぐ選べる日時',
    hour: '1時間後',
    today17: '今日17時',
    tomorrow: '明日8時30分',
    tomorrow17: '明日17時',
    monday: '月曜8時30分',
    inThreeDays: '3日後17時',
    own: '日時を指定',
    date: '日にち',
    time: '時刻',
    choose: 'この日時にする',
    missing: '日にちと時刻を入れてください。',
    tooSoon: '1分より後の日時を選んでください。',
    tooLate: '1年以内の日時を選んでください。',
    list: '送信予約の一覧',
  },
  {
    quick: 'Suggested times',
    hour: 'In an hour',
    today17: 'Today 17:00',
    tomorrow: 'Tomorrow 8:30',
    tomorrow17: 'Tomorrow 17:00',
    monday: 'Monday 8:30',
    inThreeDays: 'In 3 days 17:00',
    own: 'Another time',
    date: 'Day',
    time: 'Time',
    choose: 'Choose this time',
    missing: 'Enter a day and a time.',
    tooSoon: 'Choose a time more than a minute from now.',
    tooLate: 'Choose a time within a year.',
    list: 'All scheduled messages',
  },
)
