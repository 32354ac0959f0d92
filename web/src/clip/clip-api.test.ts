import { expect, it } from 'vitest';
import { readClip } from './clip-api';

const told = {
  clip: 'clp_1', show: 'show_1', room: 'room_1', title: 'Cup', kind: 'copy', from_ms: 61_000, to_ms: 71_000,
  hls: '/c/clp_1/index.m3u8', mp4: '/c/clp_1/clip.mp4', poster: '/c/clp_1/poster.jpg',
  hls_from_ms: 1_000, mp4_from_ms: 3_000,
  events: [{ seq: 4, type: 'comment', show_time_ms: 62_000, clip_time_ms: 1_000, wall: '2026-11-22T10:00:00.000Z', data: { id: 'cmt_1', name: 'A', text: 'hi' } }],
  epochs: [{ show_time_ms: 0, wall: '2026-11-22T09:59:00.000Z' }],
  chapters: [{ id: 'pin_1', title: 'Cup', from_ms: 0, to_ms: 8_000, product: { id: 'prod_1' } }],
  products: [{ id: 'prod_1', title: 'Cup', price: { amount: 100, currency: 'CNY' } }],
};

it('reads a clip', () => {
  const clip = readClip(told, 'clp_1', 'http://h/c/clp_1');
  expect(clip).toMatchObject({ showId: 'show_1', roomId: 'room_1', title: 'Cup', styled: false, fromMs: 61_000, toMs: 71_000, mp4: { url: 'http://h/c/clp_1/clip.mp4' } });
  expect(clip?.mp4?.map.toPlay(61_000)).toBe(3_000); // after its intro
  expect(clip?.events.map((e) => e.showMs)).toEqual([62_000]);
  expect(clip?.chapters.map((c) => [c.startMs, c.endMs, c.productId])).toEqual([[0, 8_000, 'prod_1']]);
  expect(clip?.hls?.map.toPlay(61_000)).toBe(1_000); // its segments begin before it does
});

it('takes a clip without a file, and refuses what is none', () => {
  expect(readClip({ ...told, mp4: null }, 'clp_1', 'http://h/')).toMatchObject({ mp4: null });
  expect(readClip({ ...told, mp4: 'javascript:alert(1)' }, 'clp_1', 'http://h/')?.mp4).toBeNull();
  expect(readClip({ ...told, to_ms: 61_000 }, 'clp_1', 'http://h/')).toBeNull();
  expect(readClip([], 'clp_1', 'http://h/')).toBeNull();
});
