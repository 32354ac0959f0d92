import { expect, it } from 'vitest';
import type { PublisherView } from './api';
import { OwnPublish } from './own-publish';

const publisher = (protocol: string, connectedAt: string): PublisherView => ({
  protocol, connectedAt, encoder: '', video: '', width: 0, height: 0, fps: 0, bitrateBps: 0, keyIntervalMs: 0, audio: '',
});

it('knows its own publish, also after a reload', () => {
  const kept = new Map<string, string>();
  const store = () => ({ getItem: (n: string) => kept.get(n) ?? null, setItem: (n: string, v: string) => void kept.set(n, v), removeItem: () => undefined });
  const own = new OwnPublish('room_1', store);
  expect([own.is(null), own.is(publisher('whip', ''))]).toEqual([false, false]);
  own.claim(publisher('rtmp', 'a'));
  expect(own.is(publisher('rtmp', 'a'))).toBe(false);
  own.claim(publisher('whip', 'b'));
  const again = new OwnPublish('room_1', store);
  expect([again.is(publisher('whip', 'b')), again.is(publisher('whip', 'c')), again.is(publisher('rtmp', 'b'))]).toEqual([true, false, false]);
  expect(new OwnPublish('room_2', store).is(publisher('whip', 'b'))).toBe(false);
});
