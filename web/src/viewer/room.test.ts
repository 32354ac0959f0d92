import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Room } from './room';

const wall = '2026-11-22T12:00:00.000Z';
const at = Date.parse(wall);

class FakeSocket {
  static last: FakeSocket | null = null;
  onmessage: ((m: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  constructor() {
    FakeSocket.last = this;
  }
  close() {
    this.onclose = null;
  }
  say(frame: unknown) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

const show = (id: string, state: string) => ({ id, title: 'S', state, started_at: wall, duration_ms: 5_000 });
const snapshot = (id: string, state: string, pins: unknown[] = []) => ({
  type: 'snapshot', epoch: id, offset: 1,
  state: { room: { id: 'room_1', title: 'R', state }, show: show(id, state), epochs: [{ show_time_ms: 0, wall }], pins, products: [] },
});
const event = (epoch: string, offset: number, type: string, showMs: number, data: unknown, shift = 0) => ({
  type: 'event', epoch, offset,
  event: { seq: offset, type, show_time_ms: showMs, wall: new Date(at + showMs + shift).toISOString(), data },
});

let page: { status: number; body: unknown };

async function openRoom(): Promise<Room> {
  const room = new Room('room_1', 'https://shop.example/r/room_1', () => undefined);
  await room.refresh();
  return room;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', new EventTarget());
  vi.stubGlobal('WebSocket', FakeSocket);
  page = { status: 200, body: { room: { id: 'room_1', title: 'R', state: 'idle' }, show: null, last_show: null, products: [] } };
  vi.stubGlobal('fetch', () =>
    Promise.resolve({ ok: page.status === 200, status: page.status, json: () => Promise.resolve(page.body) }),
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('Room', () => {
  it('follows a show through its states', async () => {
    const room = await openRoom();
    const socket = FakeSocket.last!;
    expect(room.showOnAir).toBeNull();
    socket.say(snapshot('show_1', 'live'));
    expect([room.state, room.showOnAir]).toEqual(['live', 'show_1']);
    socket.say(event('show_1', 2, 'state', 5_000, { state: 'interrupted' }));
    expect([room.state, room.showOnAir]).toEqual(['interrupted', 'show_1']);
    socket.say(event('show_1', 3, 'state', 5_000, { state: 'live' }, 9_000));
    expect(room.state).toBe('live');
    expect(room.timeline('show_1').epochs.showAt(at + 15_000)).toBe(6_000);
    socket.say(event('show_1', 4, 'state', 8_000, { state: 'ended' }, 9_000));
    expect([room.state, room.showOnAir]).toEqual(['ended', null]);
  });

  it('keeps its state when an event of an older show comes late', async () => {
    const room = await openRoom();
    FakeSocket.last!.say(snapshot('show_2', 'live'));
    FakeSocket.last!.say(event('show_1', 9, 'state', 5_000, { state: 'ended' }));
    expect([room.state, room.showOnAir]).toEqual(['live', 'show_2']);
  });

  it('takes the bag and its products from the events', async () => {
    const room = await openRoom();
    FakeSocket.last!.say(snapshot('show_1', 'live'));
    FakeSocket.last!.say(event('show_1', 2, 'bag', 0, { products: [{ id: 'prod_1', title: 'A', stock: 3 }, { id: 'prod_2', title: 'B' }] }));
    FakeSocket.last!.say(event('show_1', 3, 'product', 0, { product: { id: 'prod_1', title: 'A', stock: 2 } }));
    expect(room.products.map((p) => [p.id, p.stock])).toEqual([['prod_1', 2], ['prod_2', null]]);
  });

  it('gathers pins from the snapshot and the events of their show', async () => {
    const room = await openRoom();
    FakeSocket.last!.say(snapshot('show_1', 'live', [{ id: 'pin_1', product_id: 'prod_1', show_time_ms: 1_000 }]));
    FakeSocket.last!.say(event('show_1', 2, 'unpin', 4_000, { pin_id: 'pin_1' }));
    expect(room.timeline('show_1').pins().map((p) => [p.id, p.startMs, p.endMs])).toEqual([['pin_1', 1_000, 4_000]]);
  });

  it('is unknown for good', async () => {
    page.status = 404;
    const room = await openRoom();
    expect(room.status).toBe('unknown');
    page.status = 200;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(room.status).toBe('unknown');
  });

  it('tries again when the server is away', async () => {
    page.status = 503;
    const room = await openRoom();
    expect(room.status).toBe('failed');
    page.status = 200;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(room.status).toBe('known');
  });

  it('takes the latest account of the server clock for the truest', async () => {
    const room = await openRoom();
    const now = Date.now();
    FakeSocket.last!.say({ type: 'hello', recovered: false, server_time: new Date(now + 400).toISOString() });
    FakeSocket.last!.say({ type: 'hello', recovered: false, server_time: new Date(now - 900).toISOString() });
    expect(room.serverNow()).toBe(now + 400);
  });
});
