import { pair } from '../pair'

/** 「通知を試す」: each step of a notification on its way to this device, and what to do where it stops. */
export const pushing = pair(
  {
    lead: '画面を閉じていても、この端末に通知が届くかを順に確かめます。',
    start: '試す',
    again: 'もう一度試す',
    working: '確かめています',
    waiting: '待っています',
    done: 'できています',
    failed: 'ここで止まっています',
    steps: {
      browser: 'このブラウザーで通知を受け取れる',
      permission: '通知が許可されている',
      worker: '画面を閉じていても動く部分がある',
      server: 'サーバーが通知を送っている',
      subscription: 'ブラウザーの通知サービスに登録した',
      known: 'サーバーがこの端末の届け先を知っている',
      sent: '試しの通知を送った',
      arrived: '通知が届いた',
    },
    iphone:
      'iPhone・iPadでは、先にホーム画面に追加します。共有のボタンから「ホーム画面に追加」を選び、そのアイコンから開き直して、もう一度試してください。',
    browserHow: 'アドレスがhttpsで始まっているか、ブラウザーが新しいかを確かめてください。',
    permissionHow:
      'アドレス欄の左にある鍵または調整の印を押し、「通知」を「許可」にして、画面を開き直してください。端末の設定で、ブラウザーの通知が止められていることもあります。',
    workerHow: '画面を開き直してください。プライベートブラウジングでは動きません。',
    serverHow: 'このサーバーからは通知を送っていません。画面を開いている間だけ、新着をお知らせします。使いたいときは、管理者にご相談ください。',
    subscriptionHow: (reason: string) =>
      `ブラウザーの通知サービスにつながりません(${reason})。インターネットに出られない網では使えません。画面を開いている間は、新着をお知らせします。`,
    knownHow: (reason: string) => `サーバーに届け先を登録できません。${reason}`,
    sentHow: (outcome: string, reason: string) =>
      `${
        {
          invalid: '届け先が古くなっています。もう一度試すと、登録し直します。',
          later: '通知サービスが混み合っています。しばらくしてから試してください。',
          refused: '通知サービスに断られました。管理者にお知らせください。',
          unknown: '通知サービスとの通信が途中で切れました。もう一度試してください。',
          unregistered: '届け先が登録されていません。もう一度試してください。',
          off: 'このサーバーからは、この種類の端末に通知を送っていません。管理者にご相談ください。',
        }[outcome] ?? 'サーバーから送れませんでした。'
      }${reason === '' ? '' : `(${reason})`}`,
    arrivedHow:
      '通知サービスは受け取りましたが、端末に届いていません。端末の「おやすみモード」や「集中モード」、省電力の設定を確かめてください。',
    shownHow: '届いたのに表示が見えないときは、端末の設定で、ブラウザーの通知の表示を許可してください。',
  },
  {
    lead: 'This looks, step by step, whether notifications reach this device while the page is closed.',
    start: 'Try it',
    again: 'Try again',
    working: 'Looking',
    waiting: 'waiting',
    done: 'fine',
    failed: 'it stops here',
    steps: {
      browser: 'This browser can receive notifications',
      permission: 'Notifications are allowed',
      worker: 'There is a part that works while the page is closed',
      server: 'The server sends notifications',
      subscription: 'Registered with the browser’s push service',
      known: 'The server knows where to reach this device',
      sent: 'A notification was sent to try it',
      arrived: 'The notification arrived',
    },
    iphone:
      'On an iPhone or iPad, add the page to the home screen first: choose “Add to Home Screen” from the share button, open it from that icon, and try again.',
    browserHow: 'Look whether the address begins with https and whether the browser is up to date.',
    permissionHow:
      'Press the lock or the sliders to the left of the address, set “Notifications” to “Allow”, and open the page again. The settings of the device may keep the browser from notifying, too.',
    workerHow: 'Open the page again. It does not work in a private window.',
    serverHow: 'This server sends no notifications. News is shown while the page is open. Ask your administrator if you need more.',
    subscriptionHow: (reason: string) =>
      `The browser’s push service cannot be reached (${reason}). In a network without the Internet it cannot be used. News is shown while the page is open.`,
    knownHow: (reason: string) => `The server did not take the registration. ${reason}`,
    sentHow: (outcome: string, reason: string) =>
      `${
        {
          invalid: 'The registration is out of date. Trying again makes a new one.',
          later: 'The push service is busy. Try again in a while.',
          refused: 'The push service refused it. Tell your administrator.',
          unknown: 'The line to the push service was cut. Try again.',
          unregistered: 'This device is not registered. Try again.',
          off: 'This server sends nothing to devices of this kind. Ask your administrator.',
        }[outcome] ?? 'The server could not send it.'
      }${reason === '' ? '' : ` (${reason})`}`,
    arrivedHow: 'The push service took it, and it did not reach the device. Look at its “Do not disturb”, focus and battery settings.',
    shownHow: 'If it arrived and you see nothing, allow the browser to show notifications in the settings of the device.',
  },
)
