import { expect, it } from 'vitest';
import { highest, readWave, share, speaks, Wave } from './curve';
import { noBoard, readBoard, tileAt } from './storyboard';

it('draws a long waveform from coarser points that hide no peak', () => {
  const n = 144_000; // four hours of ten a second
  const [low, high] = [new Int8Array(n).fill(-3), new Int8Array(n).fill(3)];
  high[77_777] = 120;
  const wave = new Wave(low, high, 100);
  expect(wave.durationMs).toBe(14_400_000);
  const column = 14_400_000 / 1_250;
  const at = Math.floor((77_777 * 100) / column);
  expect(wave.between(at * column, (at + 1) * column)).toEqual({ low: -3, high: 120 });
  expect(wave.between(77_777 * 100, 77_778 * 100)).toEqual({ low: -3, high: 120 });
  expect(wave.between(14_400_000, 14_400_100)).toBeNull();
});

it('reads the form of audiowaveform and nothing else', () => {
  const bytes = new ArrayBuffer(24 + 4);
  const v = new DataView(bytes);
  [2, 1, 8000, 800, 2, 1].forEach((n, i) => v.setUint32(4 * i, n, true));
  new Int8Array(bytes, 24).set([-5, 6, -7, 8]);
  const wave = readWave(bytes);
  expect(wave?.durationMs).toBe(200);
  expect(wave?.between(100, 200)).toEqual({ low: -7, high: 8 });
  v.setUint32(0, 1, true);
  expect(readWave(bytes)).toBeNull();
  expect(readWave(new ArrayBuffer(5))).toBeNull();
});

it('puts curves between nothing and their highest', () => {
  expect(share('likes', [0, 5, 10])).toEqual([0, 0.5, 1]);
  expect(share('likes', [0, 0])).toEqual([0, 0]);
  expect(share('viewers', [null, 4])).toEqual([null, 1]);
  expect(share('loudness', [-70, -8, 3])).toEqual([0, 1, 1]);
});

it('takes the highest of a column and holds between steps', () => {
  const values = [1, 9, null, 4];
  expect(highest(values, 1_000, 0, 2_000)).toBe(9);
  expect(highest(values, 1_000, 3_100, 3_150)).toBe(4);
  expect(highest(values, 1_000, 2_100, 2_200)).toBeNull();
  expect(highest(values, 1_000, 9_000, 9_100)).toBeNull();
});

it('knows curves that say nothing', () => {
  expect([speaks('likes', [0, 0]), speaks('likes', [0, 1]), speaks('loudness', [-70]), speaks('loudness', [-30]), speaks('viewers', [null])]).toEqual([false, true, false, true, false]);
});

it('finds the small picture of an instant', () => {
  const board = readBoard(
    { complete: true, tile: { width: 192, height: 108 }, columns: 5, rows: 5, sheets: [{ url: 's-1.jpg', tiles_ms: [0, 2_000, 4_000, 6_000, 8_000, 10_000] }, { url: 's-2.jpg?tiles=1', tiles_ms: [12_000] }] },
    'https://shop.example/replay/show_1/whole/storyboard.json',
  );
  expect(tileAt(board.tiles, 11_999)).toEqual({ atMs: 10_000, url: 'https://shop.example/replay/show_1/whole/s-1.jpg', x: 0, y: 108 });
  expect(tileAt(board.tiles, 99_000)?.url).toContain('s-2.jpg?tiles=1');
  expect(tileAt([], 5)).toBeNull();
  expect(readBoard({ sheets: [] }, 'https://shop.example/')).toEqual(noBoard);
});
