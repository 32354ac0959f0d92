import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError, readStudio, StudioApi } from './api';

const base = 'https://shop.example/studio/room_1';
const body = {
  room: { id: 'room_1', title: 'Tea', state: 'live' },
  show: { id: 'show_1', title: 'Tea', state: 'live', started_at: '2026-11-22T12:00:00Z', duration_ms: 9_000 },
  publisher: { protocol: 'whip', connected_at: '2026-11-22T12:00:00Z', width: 720, height: 1280, fps: 29.9, bitrate_bps: 2_400_000, keyframe_interval_ms: 2_000, video: 'H264', audio: 'Opus' },
  warnings: [{ code: 'loss', severity: 'critical', message: 'M', remedy: 'R' }, { code: 'x' }, 7],
  pins: [{ id: 'pin_1', product_id: 'prod_1', featured: true, show_time_ms: 5 }],
  products: [{ id: 'prod_1', title: 'Green tea', price: 100, currency: 'CNY', image_url: 'javascript:alert(1)' }],
  watch_url: '/r/room_1',
};

let asked: { url: string; init: RequestInit }[];
let answer: Response | Error;
const api = () => new StudioApi('room/1', base, () => 'sk_1', () => 'zh-CN');

beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});
afterEach(() => vi.unstubAllGlobals());

it('reads how the room stands', async () => {
  answer = Response.json(body);
  const view = await api().view();
  expect(view).toMatchObject({
    title: 'Tea', state: 'live', show: { id: 'show_1', startedMs: Date.parse('2026-11-22T12:00:00Z') },
    publisher: { protocol: 'whip', keyIntervalMs: 2_000 }, warnings: [{ code: 'loss', severity: 'critical', message: 'M', remedy: 'R' }],
    watchUrl: 'https://shop.example/r/room_1',
  });
  expect([view.pins.map((p) => p.id), view.products[0]?.imageUrl]).toEqual([['pin_1'], null]);
  expect(asked[0]).toMatchObject({ url: '/api/v1/rooms/room%2F1/studio', init: { headers: { Authorization: 'Bearer sk_1', 'Accept-Language': 'zh-CN' } } });
});

it('takes what is missing for nothing', () => {
  expect(readStudio({ room: {} }, base)).toEqual({ title: '', state: 'idle', show: null, publisher: null, warnings: [], pins: [], products: [], watchUrl: null, studioUrl: null });
  expect([readStudio({}, base), readStudio(null, base)]).toEqual([null, null]);
});

it('pins and unpins at an instant', async () => {
  answer = Response.json({}, { status: 201 });
  await api().pin('prod_1', true, 1_795_363_200_123.6);
  answer = new Response(null, { status: 204 });
  await api().unpin('pin_1', 1_795_363_200_123);
  expect(asked.map((a) => [a.init.method, a.url, a.init.body])).toEqual([
    ['POST', '/api/v1/rooms/room%2F1/pins', '{"product_id":"prod_1","featured":true,"at":"2026-11-22T16:00:00.123Z"}'],
    ['DELETE', '/api/v1/rooms/room%2F1/pins/pin_1?at=2026-11-22T16%3A00%3A00.123Z', undefined],
  ]);
});

it.each([
  [Response.json({ detail: 'wrong key' }, { status: 401 }), 401, 'wrong key'],
  [new TypeError('network'), 0, ''],
  [Response.json({ odd: true }), 502, ''],
])('says how it failed (%#)', async (a, status, detail) => {
  answer = a;
  const why = await api().view().catch((e: unknown) => e);
  expect(why).toBeInstanceOf(ApiError);
  expect(why).toMatchObject({ status, detail });
});
