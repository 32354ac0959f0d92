import { expect, it } from 'vitest';
import { readStoryboard, tileAt } from './storyboard';

const vtt = `WEBVTT

00:00.000 --> 00:05.000
storyboard-0.jpg#xywh=0,0,160,90

00:05.000 --> 00:10.000
storyboard-0.jpg#xywh=160,0,160,90

1:00:10.000 --> 1:00:15.000
storyboard-1.jpg#xywh=0,90,160,90
`;

it('reads tiles and finds the one of an instant', () => {
  const tiles = readStoryboard(vtt, 'http://h/replay/show_1/storyboard.vtt');
  expect(tiles).toHaveLength(3);
  expect(tiles[1]).toEqual({ startMs: 5000, endMs: 10_000, url: 'http://h/replay/show_1/storyboard-0.jpg', x: 160, y: 0, width: 160, height: 90 });
  expect(tiles[2]?.startMs).toBe(3_610_000);
  expect([0, 4999, 5000, 60_000, 9e6].map((t) => tileAt(tiles, t)?.startMs)).toEqual([0, 0, 5000, 5000, 3_610_000]);
  expect(tileAt([], 5)).toBeNull();
});

it('takes nothing from what is no storyboard', () => {
  expect(readStoryboard('<html>not found</html>', 'http://h/')).toEqual([]);
  expect(readStoryboard('WEBVTT\n\n00:00.000 --> 00:05.000\njavascript:alert(1)', 'http://h/')).toEqual([]);
});
