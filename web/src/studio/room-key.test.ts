import { beforeEach, expect, it } from 'vitest';
import { RoomKey } from './room-key';

let kept: Map<string, string>;
const store = () => ({
  getItem: (n: string) => kept.get(n) ?? null,
  setItem: (n: string, v: string) => void kept.set(n, v),
  removeItem: (n: string) => void kept.delete(n),
});
const forbidden = () => {
  throw new Error('denied');
};

beforeEach(() => (kept = new Map()));

it('takes the key of the address and keeps it for its room', () => {
  const key = new RoomKey('room_1', store);
  expect(key.read('#key=sk_a%2Bb')).toBe(true);
  expect([key.value, [...kept]]).toEqual(['sk_a+b', [['vitrine.key.room_1', 'sk_a+b']]]);
  expect(new RoomKey('room_2', store).read('')).toBe(false);
  const again = new RoomKey('room_1', store);
  expect([again.read('#other=1'), again.value]).toEqual([false, 'sk_a+b']);
  again.forget();
  expect([again.value, kept.size]).toEqual(['', 0]);
});

it('works where nothing can be kept', () => {
  const key = new RoomKey('room_1', forbidden);
  expect([key.read(''), key.value]).toEqual([false, '']);
  key.keep('sk_1');
  expect(key.value).toBe('sk_1');
  key.forget();
  expect(key.value).toBe('');
});
