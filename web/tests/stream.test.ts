import { describe, expect, it } from 'vitest'
import { type Action, Streams } from '../src/protocol/stream'
import type { Page, Resumed, RoomEvent, StreamState } from '../src/protocol/types'
import { random } from './support/random'

const ROOM = 'room-a'

const stub = (seq: number, room = ROOM): RoomEvent => ({ op: 'event', room, seq, at: 0, kind: 'stub' })
const me = (seq: number) => ({ op: 'me', seq, at: 0, kind: 'profile' }) as const
const page = (seqs: number[], head: number, live = true): Page => ({
  op: 'page',
  ref: 1,
  events: seqs.map((seq) => stub(seq)),
  head,
  live,
})
const resumed = (
  rooms: Record<string, [number, StreamState]>,
  mine: [number, StreamState] = [0, 'live'],
  epoch = 'e1',
): Resumed => ({
  op: 'resumed',
  ref: 1,
  epoch,
  me: { head: mine[0], state: mine[1] },
  rooms: Object.fromEntries(Object.entries(rooms).map(([id, [head, state]]) => [id, { head, state }])),
})
const applied = (actions: Action[]) =>
  actions.flatMap((action) => (action.do === 'apply' ? [action.event.seq] : []))
const others = (actions: Action[]) => actions.filter((action) => action.do !== 'apply')

/** A room that is held at 10 on a live connection. */
function held(head = 10): Streams {
  const streams = new Streams()
  streams.resumed(resumed({ [ROOM]: [head, 'live'] }))
  expect(streams.snapshot(ROOM, head)).toEqual([])
  return streams
}

describe('a held room', () => {
  it('applies the next event', () => {
    expect(applied(held().event(stub(11)))).toEqual([11])
  })

  it('drops what it has', () => {
    const streams = held()
    expect(streams.event(stub(10))).toEqual([])
    expect(streams.event(stub(3))).toEqual([])
    expect(applied(streams.event(stub(11)))).toEqual([11])
    expect(streams.event(stub(11))).toEqual([])
  })

  it('pulls a hole before it goes on, once', () => {
    const streams = held()
    expect(streams.event(stub(13))).toEqual([{ do: 'pull', stream: ROOM, after: 10 }])
    expect(streams.event(stub(14))).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(false)
    const actions = streams.page(ROOM, 10, page([11, 12, 13, 14], 14))
    expect(applied(actions)).toEqual([11, 12, 13, 14])
    expect(others(actions)).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
    expect(streams.event(stub(14))).toEqual([])
  })

  it('pulls again when events came after the page was made', () => {
    const streams = held()
    streams.event(stub(12))
    streams.event(stub(15))
    const actions = streams.page(ROOM, 10, page([11, 12], 12))
    expect(applied(actions)).toEqual([11, 12])
    expect(others(actions)).toEqual([{ do: 'pull', stream: ROOM, after: 12 }])
    expect(applied(streams.page(ROOM, 12, page([13, 14, 15], 15)))).toEqual([13, 14, 15])
  })

  it('takes a late event that fills the hole, and then drops it from the page', () => {
    const streams = held()
    streams.event(stub(12))
    expect(applied(streams.event(stub(11)))).toEqual([11])
    expect(applied(streams.page(ROOM, 10, page([11, 12], 12)))).toEqual([12])
  })

  it('counts stubs like any event', () => {
    const streams = held()
    expect(applied(streams.event(stub(11)))).toEqual([11])
    expect(streams.last(ROOM)).toBe(11)
  })

  it('reloads when a page itself has a hole', () => {
    const streams = held()
    streams.event(stub(14))
    const actions = streams.page(ROOM, 10, page([11, 13, 14], 14))
    expect(applied(actions)).toEqual([11])
    expect(others(actions)).toEqual([{ do: 'reload', stream: ROOM }])
  })

  it('reloads instead of asking for ever when a page brings nothing', () => {
    const streams = held()
    streams.event(stub(12))
    expect(streams.page(ROOM, 10, page([], 10))).toEqual([{ do: 'reload', stream: ROOM }])
  })

  it('ignores a page that nobody waits for', () => {
    const streams = held()
    expect(streams.page(ROOM, 10, page([11], 11))).toEqual([])
    streams.event(stub(12))
    expect(streams.page(ROOM, 3, page([4, 5], 12, false))).toEqual([])
    expect(streams.page('unknown', 0, page([1], 1))).toEqual([])
    expect(streams.last(ROOM)).toBe(10)
  })

  it('asks again after a pull that failed', () => {
    const streams = held()
    streams.event(stub(12))
    expect(streams.retry(ROOM)).toEqual([])
    streams.pullFailed(ROOM)
    expect(streams.retry(ROOM)).toEqual([{ do: 'pull', stream: ROOM, after: 10 }])
    streams.page(ROOM, 10, page([11, 12], 12))
    expect(streams.retry(ROOM)).toEqual([])
  })

  it('is independent of other rooms', () => {
    const streams = held()
    streams.snapshot('room-b', 5)
    streams.event(stub(13))
    expect(applied(streams.event(stub(6, 'room-b')))).toEqual([6])
  })

  it('passes everything on again without order once it is released', () => {
    const streams = held()
    streams.release(ROOM)
    expect(applied(streams.event(stub(15)))).toEqual([15])
    expect(streams.resumeFrom().rooms).toEqual({})
  })
})

describe('a listed room', () => {
  it('passes the newest event on, without pulling', () => {
    const streams = new Streams()
    streams.resumed(resumed({ [ROOM]: [10, 'live'] }))
    expect(applied(streams.event(stub(11)))).toEqual([11])
    expect(applied(streams.event(stub(20)))).toEqual([20])
    expect(streams.event(stub(20))).toEqual([])
    expect(streams.event(stub(15))).toEqual([])
  })

  it('may be one that was joined after the resume', () => {
    const streams = new Streams()
    streams.resumed(resumed({}))
    expect(applied(streams.event(stub(4, 'new')))).toEqual([4])
  })

  it('is not named in a resume', () => {
    const streams = held()
    streams.event(stub(3, 'other'))
    expect(streams.resumeFrom()).toEqual({ epoch: 'e1', me: 0, rooms: { [ROOM]: 10 } })
  })
})

describe('a snapshot', () => {
  it('older than the events seen meanwhile pulls them up', () => {
    const streams = new Streams()
    streams.resumed(resumed({ [ROOM]: [10, 'live'] }))
    expect(applied(streams.event(stub(11)))).toEqual([11])
    expect(applied(streams.event(stub(12)))).toEqual([12])
    expect(streams.snapshot(ROOM, 11)).toEqual([{ do: 'pull', stream: ROOM, after: 11 }])
    expect(applied(streams.page(ROOM, 11, page([12], 12)))).toEqual([12])
  })

  it('newer than the events seen drops them when they arrive', () => {
    const streams = new Streams()
    streams.resumed(resumed({ [ROOM]: [10, 'live'] }))
    expect(streams.snapshot(ROOM, 12)).toEqual([])
    expect(streams.event(stub(11))).toEqual([])
    expect(streams.event(stub(12))).toEqual([])
    expect(applied(streams.event(stub(13)))).toEqual([13])
  })

  it('taken before the connection is named in the resume', () => {
    const streams = new Streams()
    expect(streams.snapshot(ROOM, 7)).toEqual([])
    expect(streams.resumeFrom()).toEqual({ epoch: null, me: 0, rooms: { [ROOM]: 7 } })
    expect(streams.resumed(resumed({ [ROOM]: [9, 'replay'] }))).toEqual([{ do: 'pull', stream: ROOM, after: 7 }])
  })

  it('makes an answer to an earlier pull worthless', () => {
    const streams = held()
    streams.event(stub(13))
    expect(streams.snapshot(ROOM, 13)).toEqual([])
    expect(streams.page(ROOM, 10, page([11, 12, 13], 13))).toEqual([])
    expect(streams.last(ROOM)).toBe(13)
  })
})

describe('resuming', () => {
  it('with everything goes live', () => {
    const streams = held()
    streams.disconnected()
    expect(streams.caughtUp(ROOM)).toBe(false)
    expect(streams.resumed(resumed({ [ROOM]: [10, 'live'] }))).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
  })

  it('pulls pages until one says live', () => {
    const streams = held()
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [14, 'replay'] }))).toEqual([{ do: 'pull', stream: ROOM, after: 10 }])
    const first = streams.page(ROOM, 10, page([11, 12], 14, false))
    expect(applied(first)).toEqual([11, 12])
    expect(others(first)).toEqual([{ do: 'pull', stream: ROOM, after: 12 }])
    const second = streams.page(ROOM, 12, page([13, 14], 14))
    expect(applied(second)).toEqual([13, 14])
    expect(others(second)).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
  })

  it('goes on pulling a page that has everything but does not say live', () => {
    const streams = held()
    streams.disconnected()
    streams.resumed(resumed({ [ROOM]: [11, 'replay'] }))
    expect(others(streams.page(ROOM, 10, page([11], 11, false)))).toEqual([{ do: 'pull', stream: ROOM, after: 11 }])
    expect(streams.page(ROOM, 11, page([], 11, true))).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
  })

  it('reloads when a replay does not move', () => {
    const streams = held()
    streams.disconnected()
    streams.resumed(resumed({ [ROOM]: [14, 'replay'] }))
    expect(streams.page(ROOM, 10, page([], 14, false))).toEqual([{ do: 'reload', stream: ROOM }])
  })

  it('takes live events in the middle of a replay only in order', () => {
    const streams = held()
    streams.disconnected()
    streams.resumed(resumed({ [ROOM]: [12, 'replay'] }))
    expect(streams.event(stub(13))).toEqual([])
    const actions = streams.page(ROOM, 10, page([11, 12], 12))
    expect(applied(actions)).toEqual([11, 12])
    expect(others(actions)).toEqual([{ do: 'pull', stream: ROOM, after: 12 }])
    expect(applied(streams.page(ROOM, 12, page([13], 13)))).toEqual([13])
  })

  it('forgets a pull that the old connection never answered', () => {
    const streams = held()
    streams.event(stub(13))
    streams.disconnected()
    expect(streams.retry(ROOM)).toEqual([])
    expect(streams.page(ROOM, 10, page([11, 12, 13], 13))).toEqual([])
    expect(streams.resumed(resumed({ [ROOM]: [13, 'replay'] }))).toEqual([{ do: 'pull', stream: ROOM, after: 10 }])
  })

  it('pulls although the server says live, when its head is further', () => {
    const streams = held()
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [12, 'live'] }))).toEqual([{ do: 'pull', stream: ROOM, after: 10 }])
  })

  it('drops a room that is gone, or that the answer does not name', () => {
    const streams = held()
    streams.snapshot('room-b', 3)
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [0, 'gone'] }))).toEqual([
      { do: 'forget', room: 'room-b' },
      { do: 'forget', room: ROOM },
    ])
    expect(streams.resumeFrom().rooms).toEqual({})
    expect(streams.resumed(resumed({ [ROOM]: [0, 'gone'] }))).toEqual([])
  })
})

describe('resync', () => {
  const behind = () => {
    const streams = held()
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [5000, 'resync'] }))).toEqual([{ do: 'reload', stream: ROOM }])
    return streams
  }

  it('holds events back until the snapshot is there', () => {
    const streams = behind()
    expect(streams.event(stub(5001))).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(false)
    expect(streams.snapshot(ROOM, 5000)).toEqual([{ do: 'pull', stream: ROOM, after: 5000 }])
    expect(applied(streams.page(ROOM, 5000, page([5001], 5001)))).toEqual([5001])
  })

  it('needs no pull when the snapshot has it all', () => {
    const streams = behind()
    streams.event(stub(5001))
    expect(streams.snapshot(ROOM, 5001)).toEqual([])
    expect(applied(streams.event(stub(5002)))).toEqual([5002])
  })

  it('is asked for again after another disconnect', () => {
    const streams = behind()
    streams.disconnected()
    expect(streams.resumeFrom().rooms).toEqual({})
    expect(streams.resumed(resumed({ [ROOM]: [5003, 'live'] }))).toEqual([{ do: 'reload', stream: ROOM }])
    expect(streams.snapshot(ROOM, 5003)).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
  })

  it('is what a head below our own position means', () => {
    const streams = held()
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [8, 'live'] }))).toEqual([{ do: 'reload', stream: ROOM }])
    expect(streams.snapshot(ROOM, 8)).toEqual([])
    expect(applied(streams.event(stub(9)))).toEqual([9])
  })

  it('keeps pulling afterwards when the server was still replaying', () => {
    const streams = held()
    streams.disconnected()
    streams.resumed(resumed({ [ROOM]: [14, 'replay'] }))
    expect(streams.page(ROOM, 10, page([12], 14, false))).toEqual([{ do: 'reload', stream: ROOM }])
    expect(streams.snapshot(ROOM, 14)).toEqual([{ do: 'pull', stream: ROOM, after: 14 }])
    expect(streams.page(ROOM, 14, page([], 14, true))).toEqual([])
    expect(streams.caughtUp(ROOM)).toBe(true)
  })
})

describe('another epoch', () => {
  it('reloads everything that is held, whatever the states say', () => {
    const streams = held()
    streams.snapshot('room-b', 30)
    streams.disconnected()
    const actions = streams.resumed(resumed({ [ROOM]: [10, 'live'], 'room-b': [4, 'resync'] }, [0, 'live'], 'e2'))
    expect(actions).toEqual([
      { do: 'reload', stream: null },
      { do: 'reload', stream: ROOM },
      { do: 'reload', stream: 'room-b' },
    ])
    expect(streams.resumeFrom().epoch).toBe('e2')
  })

  it('starts from the lower positions of the new generation', () => {
    const streams = held()
    streams.disconnected()
    streams.resumed(resumed({ [ROOM]: [4, 'resync'] }, [2, 'resync'], 'e2'))
    expect(streams.snapshot(ROOM, 4)).toEqual([])
    expect(applied(streams.event(stub(5)))).toEqual([5])
    expect(applied(streams.event(me(3)))).toEqual([3])
  })

  it('of a listed room needs nothing', () => {
    const streams = new Streams()
    streams.resumed(resumed({ [ROOM]: [90, 'live'] }))
    streams.disconnected()
    expect(streams.resumed(resumed({ [ROOM]: [4, 'live'] }, [0, 'live'], 'e2'))).toEqual([{ do: 'reload', stream: null }])
    expect(applied(streams.event(stub(5)))).toEqual([5])
  })
})

describe("the user's own stream", () => {
  it('skips the past on the first connection', () => {
    const streams = new Streams()
    expect(streams.resumeFrom().me).toBe(0)
    expect(streams.resumed(resumed({}, [812, 'replay']))).toEqual([{ do: 'pull', stream: null, after: 812 }])
    expect(streams.page(null, 812, { op: 'page', ref: 1, events: [], head: 812, live: true })).toEqual([])
    expect(streams.caughtUp(null)).toBe(true)
    expect(applied(streams.event(me(813)))).toEqual([813])
  })

  it('needs no reload on the first connection, even when the past is long', () => {
    const streams = new Streams()
    expect(streams.resumed(resumed({}, [50_000, 'resync']))).toEqual([])
    expect(streams.last(null)).toBe(50_000)
  })

  it('replays what happened while away', () => {
    const streams = new Streams()
    streams.resumed(resumed({}, [5, 'live']))
    streams.disconnected()
    expect(streams.resumeFrom().me).toBe(5)
    expect(streams.resumed(resumed({}, [7, 'replay']))).toEqual([{ do: 'pull', stream: null, after: 5 }])
    const actions = streams.page(null, 5, { op: 'page', ref: 1, events: [me(6), me(7)], head: 7, live: true })
    expect(applied(actions)).toEqual([6, 7])
  })

  it('pulls its holes', () => {
    const streams = new Streams()
    streams.resumed(resumed({}, [5, 'live']))
    expect(streams.event(me(8))).toEqual([{ do: 'pull', stream: null, after: 5 }])
  })

  it('reloads everything on resync, on a lower head and on nonsense', () => {
    const streams = new Streams()
    streams.resumed(resumed({}, [5, 'live']))
    streams.disconnected()
    expect(streams.resumed(resumed({}, [2000, 'resync']))).toEqual([{ do: 'reload', stream: null }])
    expect(streams.last(null)).toBe(2000)
    streams.disconnected()
    expect(streams.resumed(resumed({}, [3, 'live']))).toEqual([{ do: 'reload', stream: null }])
    streams.event(me(6))
    expect(streams.page(null, 3, { op: 'page', ref: 1, events: [], head: 6, live: true })).toEqual([
      { do: 'reload', stream: null },
    ])
    expect(applied(streams.event(me(7)))).toEqual([7])
  })

  it('is not there before the resume', () => {
    expect(new Streams().event(me(1))).toEqual([])
  })
})

describe('any interleaving', () => {
  // A server that is right, and a network that loses, doubles, delays and cuts: what the client applied since its
  // last snapshot must always be exactly the events after that snapshot, in order, and once the network rests it
  // must have them all.
  it.each(Array.from({ length: 300 }, (_, seed) => seed))('seed %i applies every event once, in order', (seed) => {
    const next = random(seed)
    const chance = (percent: number) => next() * 100 < percent
    const streams = new Streams()
    let head = 0
    let expected = 0
    let epoch = 1
    let connected = false
    let wire: RoomEvent[] = []
    let todo: Action[] = []

    const act = (action: Action, reliable: boolean) => {
      if (action.do === 'apply') {
        expect(action.event.seq).toBe(expected + 1)
        expected = action.event.seq
      } else if (action.do === 'pull') {
        if (action.stream === null) return
        if (!reliable && chance(20)) {
          streams.pullFailed(ROOM)
          return
        }
        const until = reliable ? head : Math.min(head, action.after + 1 + Math.floor(next() * 4))
        const seqs = Array.from({ length: until - action.after }, (_, i) => action.after + 1 + i)
        run(streams.page(ROOM, action.after, page(seqs, head, until === head)), reliable)
      } else if (action.do === 'reload' && action.stream === ROOM) {
        if (reliable || chance(70)) load(reliable)
        else todo.push(action)
      }
    }
    const run = (actions: Action[], reliable = false) => actions.forEach((action) => act(action, reliable))
    const load = (reliable = false) => {
      const at = reliable ? head : Math.max(head - Math.floor(next() * 2), 0)
      expected = at
      run(streams.snapshot(ROOM, at), reliable)
    }
    const connect = (reliable = false) => {
      connected = true
      const from = streams.resumeFrom()
      const last = from.rooms[ROOM]
      const state: StreamState =
        from.epoch !== null && from.epoch !== `e${epoch}`
          ? 'resync'
          : last === undefined || last === head
            ? 'live'
            : head - last > 25
              ? 'resync'
              : 'replay'
      run(streams.resumed(resumed({ [ROOM]: [head, state] }, [0, 'live'], `e${epoch}`)), reliable)
    }

    connect()
    load()
    for (let step = 0; step < 120; step++) {
      const dice = next() * 100
      if (dice < 45) {
        head += 1
        if (connected) wire.push(stub(head))
      } else if (dice < 75 && wire.length > 0) {
        const index = chance(80) ? 0 : Math.floor(next() * wire.length)
        const frame = wire[index]!
        if (!chance(10)) wire.splice(index, 1)
        if (!chance(15)) run(streams.event(frame))
      } else if (dice < 80) {
        run(streams.retry(ROOM))
      } else if (dice < 84) {
        todo.splice(0).forEach((action) => act(action, false))
      } else if (dice < 90 && connected) {
        connected = false
        wire = []
        streams.disconnected()
        if (chance(10)) {
          epoch += 1
          head = Math.max(0, head - Math.floor(next() * 10))
        }
        todo = []
      } else if (!connected) {
        connect()
      }
    }
    wire = []
    streams.disconnected()
    connect(true)
    todo = []
    run(streams.retry(ROOM), true)
    expect(streams.caughtUp(ROOM)).toBe(true)
    expect(expected).toBe(head)
    expect(streams.last(ROOM)).toBe(head)
  })
})
