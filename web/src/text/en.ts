import type { Words } from './ja'

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

export const en: Words = {
  product: 'Renraku',
  language: '日本語',
  languageTag: 'ja',

  signIn: {
    title: 'Sign in',
    organization: 'Organization code',
    organizationHint: 'For example midorino. Ask your administrator if you do not know it.',
    login: 'Login',
    password: 'Password',
    submit: 'Sign in',
    working: 'Checking',
    missing: 'Enter the organization code, the login and the password.',
    unreachable: 'The server cannot be reached. Check the network and try again.',
    unreadable: 'The answer of the server could not be read. Check the address and reload the page.',
    unknownStep: 'This page does not know the way your organization signs in yet. Tell your administrator.',
    ended: 'Your sign-in has ended. Please sign in again.',
  },

  account: {
    menu: 'Your menu',
    signOut: 'Sign out',
    unsent: (count) => `${plural(count, 'message is', 'messages are')} still waiting to be sent and will be lost.`,
    signOutAnyway: 'Discard and sign out',
    stay: 'Cancel',
  },

  zone: (zone) => ({ lgwan: 'Office network', internet: 'Internet' })[zone] ?? zone,

  rooms: {
    label: 'Rooms',
    announcements: 'Announcements',
    rooms: 'Rooms',
    loading: 'Loading your rooms',
    none: 'You are in no room yet. Rooms you are invited to appear here.',
    nothingYet: 'No messages yet',
    unread: (count) => (count >= 100 ? '100 or more unread' : `${count} unread`),
    mentioned: 'you are mentioned',
    outside: 'External',
    pick: 'Choose a room',
  },

  kind: (kind) =>
    ({ private: 'Private', open: 'Open', announcement: 'Announcements', direct: 'Direct', memo: 'Only you' })[kind] ??
    kind,

  room: {
    back: 'Back to the rooms',
    members: (count) => plural(count, 'member', 'members'),
    insideOnly: 'Internal only',
    outsiders: (names) => `People from outside: ${names}`,
    archived: 'Archived',
    readOnly: 'You can only read in this room.',
    archivedNote: 'This room is archived; nothing can be written.',
    gone: 'There is no such room. You may have left it, or it was removed.',
  },

  timeline: {
    label: 'Messages',
    loading: 'Loading messages',
    failed: 'The messages could not be loaded. They load by themselves once the server is reached.',
    loadingOlder: 'Loading earlier messages',
    olderFailed: 'Earlier messages could not be loaded.',
    again: 'Load again',
    beginning: 'This is the first message',
    empty: 'No messages yet',
    unread: 'Unread from here',
    newBelow: 'There are new messages',
    toNewest: 'To the newest message',
    redacted: 'This message was deleted',
    edited: 'edited',
    pinned: 'Pinned',
    forwarded: (author) => `Forwarded from ${author}`,
    quoteLoading: 'Loading the quoted message',
    quoteGone: 'The quoted message cannot be shown',
    reactions: 'Reactions',
    san: (name) => `@${name}`,
    photoOnly: (count) => plural(count, 'photo', 'photos'),
  },

  photo: {
    open: (index, count) => (count === 1 ? 'Show the photo large' : `Show photo ${index} of ${count} large`),
    pending: 'Preparing the photo',
    failed: 'This photo cannot be shown',
    loadFailed: 'The photo could not be loaded',
    again: 'Load again',
    taken: (time) => `taken ${time}`,
    place: (latitude, longitude) => `at ${latitude}, ${longitude}`,
    count: (count) => plural(count, 'photo', 'photos'),
    viewer: 'Photo viewer',
    close: 'Close',
    previous: 'Previous photo',
    next: 'Next photo',
    position: (index, count) => `${index} / ${count}`,
    loading: 'Loading the photo',
  },

  composer: {
    label: 'Write a message',
    hint: 'Enter: new line, Ctrl+Enter: send',
    send: 'Send',
    attach: 'Attach photos',
    attachShort: 'Attach',
    camera: 'Take a photo',
    addPhoto: 'Add a photo',
    removePhoto: (name) => `Remove ${name}`,
    photos: 'Photos to attach',
    tooMany: (limit) => `A message takes up to ${limit} photos. Send the others with the next one.`,
    tooLarge: (name, megabytes) => `“${name}” is over ${megabytes} MB and cannot be attached. Make it smaller first.`,
    notPhoto: (name) => `“${name}” is not a photo. Choose JPEG, PNG, WebP, GIF or HEIC.`,
    tooLong: (limit) => `A text takes up to ${limit.toLocaleString('en')} characters. Shorten it before sending.`,
    outsiders: (names) => `People from outside will see this: ${names}`,
    confirmPhotos: (names, count) => `${plural(count, 'photo goes', 'photos go')} to people from outside (${names}) as well.`,
    confirm: 'Send to them too',
    cancel: 'Cancel',
  },

  sending: {
    waiting: 'Waiting to be sent',
    sending: 'Sending',
    uploading: (photo, count, percent) => `Sending photo ${photo} of ${count}, ${percent}%`,
    preparing: (photo, count) => `Waiting for word of photo ${photo} of ${count}`,
    retrying: (photos) =>
      photos > 0
        ? `Waiting with ${plural(photos, 'photo', 'photos')}; goes on by itself once connected`
        : 'Waiting; goes on by itself once connected',
    sent: 'Sent',
    failed: 'Could not be sent.',
    failedPhoto: (photo, name) => `Photo ${photo}, “${name}”, could not be sent.`,
    without: 'Send without this photo',
    again: 'Send again',
    discard: 'Discard',
    label: 'Message waiting to be sent',
    keepOpen: 'This device cannot store the message: keep the page open until it is sent.',
  },

  connection: {
    connecting: 'Connecting',
    offline: 'This device has no network. It goes on by itself once there is one.',
    restarting: 'The server is restarting. We reconnect by ourselves.',
    busy: 'The server is busy. We reconnect by ourselves.',
    lost: 'The server cannot be reached. We reconnect by ourselves; what you write waits until then.',
    reconnecting: 'Reconnecting',
    stopped: (code) => `The connection was stopped (number ${code}). Reload the page.`,
    signedOut: 'This device was signed out. Please sign in again.',
  },

  yesterday: 'Yesterday',
  problemNumber: (code) => `number ${code}`,
  comma: ', ',
}
