import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff } from './backoff';
import { Channel, tieToPage, type ChannelStatus } from './channel';
import type { Frame, Position } from './frames';
import { eventStream, longPoll, webSocket, type Sink, type Transport } from './transports';

const url = 'https://shop.example/live/room_1/events';
const hello = { type: 'hello', epoch: 'show_1', offset: 9, recovered: true, server_time: '2026-11-22T12:00:00.000Z' };
const event = (offset: number, epoch = 'show_1') => ({
  type: 'event',
  epoch,
  offset,
  event: { seq: offset, type: 'pin', show_time_ms: offset * 100, wall: '2026-11-22T12:00:00.000Z', data: {} },
});
const snapshot = (offset: number, epoch = 'show_1') => ({
  type: 'snapshot',
  epoch,
  offset,
  state: { room: { id: 'room_1', title: 'R', state: 'live' }, show: null, epochs: [], pins: [], products: [] },
});

/** A transport whose connections the test drives by hand. */
function scripted() {
  const calls: { sink: Sink; from: Position | null; closed: boolean }[] = [];
  const transport: Transport = (_, position, sink) => {
    const call = { sink, from: position(), closed: false };
    calls.push(call);
    return () => (call.closed = true);
  };
  return { transport, calls, get now() { return calls[calls.length - 1]!; } };
}

function channelOn(...ways: Transport[]) {
  const frames: Frame[] = [];
  const states: ChannelStatus[] = [];
  const channel = new Channel({
    url,
    transports: ways,
    random: () => 1,
    onFrame: (f) => frames.push(f),
    onStatus: (s) => states.push(s),
  });
  channel.start();
  return { channel, frames, states };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('Channel', () => {
  it('hands on frames and resumes from the last event after a loss', () => {
    const ws = scripted();
    const { frames } = channelOn(ws.transport);
    expect(ws.now.from).toBeNull();
    ws.now.sink.frame(hello);
    ws.now.sink.frame(snapshot(3));
    ws.now.sink.frame(event(4));
    ws.now.sink.lost(false);
    vi.advanceTimersByTime(500);
    expect(ws.calls).toHaveLength(2);
    expect(ws.now.from).toEqual({ epoch: 'show_1', offset: 4 });
    expect(frames.map((f) => f.type)).toEqual(['hello', 'snapshot', 'event']);
  });

  it('does not take the head in hello for its own position: the missed events follow it', () => {
    const ws = scripted();
    const { frames } = channelOn(ws.transport);
    ws.now.sink.frame(snapshot(7));
    ws.now.sink.frame(hello);
    ws.now.sink.frame(event(8));
    ws.now.sink.frame(event(9));
    expect(frames.filter((f) => f.type === 'event')).toHaveLength(2);
  });

  it('drops what it has seen, but not the same number in another show', () => {
    const ws = scripted();
    const { frames } = channelOn(ws.transport);
    ws.now.sink.frame(event(4));
    ws.now.sink.frame(event(4));
    ws.now.sink.frame(event(3));
    ws.now.sink.frame(snapshot(0, 'show_2'));
    ws.now.sink.frame(event(1, 'show_2'));
    expect(frames.map((f) => (f.type === 'event' ? f.position.offset : f.type))).toEqual([4, 'snapshot', 1]);
  });

  it('ignores frames that it does not know', () => {
    const ws = scripted();
    const { frames } = channelOn(ws.transport);
    for (const odd of [null, 7, 'x', [], {}, { type: 'later' }, { type: 'event' }, { type: 'snapshot', state: 1 }]) ws.now.sink.frame(odd);
    expect(frames).toEqual([]);
  });

  it('falls back to the next transport after two failures without a hello', () => {
    const [ws, sse, poll] = [scripted(), scripted(), scripted()];
    channelOn(ws.transport, sse.transport, poll.transport);
    for (const way of [ws, ws, sse, sse, poll]) {
      way.now.sink.lost(false);
      vi.advanceTimersToNextTimer();
    }
    expect([ws.calls.length, sse.calls.length, poll.calls.length]).toEqual([2, 2, 2]);
  });

  it('stays with a transport that worked', () => {
    const [ws, sse] = [scripted(), scripted()];
    channelOn(ws.transport, sse.transport);
    for (let i = 0; i < 5; i++) {
      ws.now.sink.frame(hello);
      ws.now.sink.lost(false);
      vi.advanceTimersToNextTimer();
    }
    expect([ws.calls.length, sse.calls.length]).toEqual([6, 0]);
  });

  it('takes a connection without a hello for dead', () => {
    const ws = scripted();
    const { states } = channelOn(ws.transport);
    vi.advanceTimersByTime(8_000);
    expect(ws.calls[0]!.closed).toBe(true);
    expect(states).toEqual(['connecting', 'waiting']);
  });

  it('backs off further with each loss and starts anew after a connection that lasted', () => {
    const ws = scripted();
    channelOn(ws.transport);
    const waits: number[] = [];
    const lose = () => {
      const before = ws.calls.length;
      ws.now.sink.frame(hello);
      ws.now.sink.lost(false);
      let waited = 0;
      while (ws.calls.length === before) {
        vi.advanceTimersByTime(250);
        waited += 250;
      }
      waits.push(waited);
    };
    lose();
    lose();
    lose();
    ws.now.sink.frame(hello);
    vi.advanceTimersByTime(5_000);
    lose();
    expect(waits).toEqual([500, 1_000, 2_000, 500]);
  });

  it('comes back soon when the server asks for a resync', () => {
    const ws = scripted();
    channelOn(ws.transport);
    for (let i = 0; i < 4; i++) {
      ws.now.sink.frame(hello);
      ws.now.sink.lost(true);
      vi.advanceTimersByTime(500);
    }
    expect(ws.calls).toHaveLength(5);
  });

  it('hears nothing from a connection it has left', () => {
    const ws = scripted();
    const { channel, frames } = channelOn(ws.transport);
    const old = ws.now.sink;
    channel.stop();
    old.frame(hello);
    old.lost(false);
    vi.advanceTimersByTime(60_000);
    expect(frames).toEqual([]);
    expect(ws.calls).toHaveLength(1);
  });

  it('survives a transport that throws', () => {
    let tries = 0;
    channelOn(() => {
      tries++;
      throw new Error('SecurityError');
    });
    vi.advanceTimersByTime(2_000);
    expect(tries).toBeGreaterThan(1);
  });
});

describe('tieToPage', () => {
  function page() {
    const window = new EventTarget();
    const target = Object.assign(new EventTarget(), { visibilityState: 'visible', defaultView: window });
    const turn = (state: string) => {
      target.visibilityState = state;
      target.dispatchEvent(new Event('visibilitychange'));
    };
    return { target: target as unknown as Document, turn, window };
  }

  it('rests after a minute in the background and resumes in the foreground', () => {
    const ws = scripted();
    const { channel } = channelOn(ws.transport);
    const { target, turn } = page();
    tieToPage(channel, target);
    ws.now.sink.frame(event(4));
    turn('hidden');
    vi.advanceTimersByTime(59_000);
    expect(channel.status).toBe('open');
    vi.advanceTimersByTime(1_000);
    expect(channel.status).toBe('off');
    turn('visible');
    expect(ws.now.from).toEqual({ epoch: 'show_1', offset: 4 });
  });

  it('keeps a connection through a short look elsewhere', () => {
    const ws = scripted();
    const { channel } = channelOn(ws.transport);
    const { target, turn } = page();
    tieToPage(channel, target);
    turn('hidden');
    turn('visible');
    vi.advanceTimersByTime(5_000);
    expect(ws.calls).toHaveLength(1);
  });

  it('does not wait out its back-off when the network is back', () => {
    const ws = scripted();
    const { channel } = channelOn(ws.transport);
    const { target, window } = page();
    tieToPage(channel, target);
    ws.now.sink.lost(false);
    window.dispatchEvent(new Event('online'));
    expect(ws.calls).toHaveLength(2);
  });
});

describe('transports', () => {
  function sink() {
    const heard: unknown[] = [];
    return {
      heard,
      sink: {
        frame: (f: unknown) => void heard.push(f),
        opened: () => void heard.push('opened'),
        moved: (p: Position) => void heard.push(p),
        lost: (resync: boolean) => void heard.push({ lost: resync }),
      },
    };
  }
  const at = () => ({ epoch: 'show_1', offset: 4 });

  it('WebSocket: resumes by query, reads messages, knows the resync code', () => {
    const made: FakeSocket[] = [];
    class FakeSocket {
      onmessage: ((m: { data: unknown }) => void) | null = null;
      onclose: ((e: { code: number }) => void) | null = null;
      closed = false;
      constructor(readonly url: string) {
        made.push(this);
      }
      close() {
        this.closed = true;
      }
    }
    vi.stubGlobal('WebSocket', FakeSocket);
    const { heard, sink: s } = sink();
    const close = webSocket(url, at, s);
    const socket = made[0]!;
    expect(socket.url).toBe('wss://shop.example/live/room_1/events?epoch=show_1&offset=4');
    socket.onmessage?.({ data: '{"type":"hello"}' });
    socket.onmessage?.({ data: 'not json' });
    socket.onmessage?.({ data: new ArrayBuffer(1) });
    socket.onclose?.({ code: 4408 });
    expect(heard).toEqual([{ type: 'hello' }, { lost: true }]);
    close();
    expect(socket.closed).toBe(true);
    expect(socket.onclose).toBeNull();
  });

  it('server-sent events: an error ends the stream, the channel backs off', () => {
    const made: FakeSource[] = [];
    class FakeSource {
      onmessage: ((m: { data: unknown }) => void) | null = null;
      onerror: (() => void) | null = null;
      closed = false;
      constructor(readonly url: string) {
        made.push(this);
      }
      close() {
        this.closed = true;
      }
    }
    vi.stubGlobal('EventSource', FakeSource);
    const { heard, sink: s } = sink();
    eventStream(url, () => null, s);
    const source = made[0]!;
    expect(source.url).toBe(url);
    source.onmessage?.({ data: '{"type":"hello"}' });
    source.onerror?.();
    expect(heard).toEqual([{ type: 'hello' }, { lost: false }]);
    expect(source.closed).toBe(true);
  });

  it('long-poll: asks again from the position it was given, and reports a refusal', async () => {
    const asked: string[] = [];
    let position: Position | null = null;
    const answers = [
      { ok: true, json: () => Promise.resolve({ frames: [{ type: 'hello' }], position: { epoch: 'show_1', offset: 2 } }) },
      { ok: true, json: () => Promise.resolve({ frames: [], position: { epoch: 'show_1', offset: 2 } }) },
      { ok: false, status: 503 },
    ];
    vi.stubGlobal('fetch', (u: string) => {
      asked.push(new URL(u).search);
      return Promise.resolve(answers.shift());
    });
    const { heard, sink: s } = sink();
    longPoll(url, () => position, { ...s, moved: (p) => { position = p; } });
    await vi.waitFor(() => expect(heard).toContainEqual({ lost: false }));
    expect(asked).toEqual(['?since=', '?since=show_1%3A2', '?since=show_1%3A2']);
    expect(heard).toEqual(['opened', { type: 'hello' }, 'opened', { lost: false }]);
  });
});

describe('backoff', () => {
  it('doubles to its cap and keeps the lower half', () => {
    expect([0, 1, 2, 3, 9, 999].map((n) => backoff(n, () => 1))).toEqual([500, 1_000, 2_000, 4_000, 20_000, 20_000]);
    expect(backoff(3, () => 0)).toBe(2_000);
  });
});
