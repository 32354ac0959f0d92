import { expect, it } from 'vitest';
import { ServerClock } from './clock';

it('believes the quickest answer', () => {
  const clock = new ServerClock(() => 10_000);
  expect([clock.known, clock.serverNow()]).toEqual([false, 10_000]);
  clock.learn(1_000, 1_400, 5_400); // 4,200 ahead, give or take 200
  expect(clock.at(2_000)).toBe(6_200);
  clock.learn(2_000, 2_040, 6_120);
  expect(clock.at(2_000)).toBe(6_100);
  clock.learn(3_000, 3_900, 9_000);
  expect(clock.serverNow()).toBe(14_100);
});

it('lets an old answer go, and takes none that cannot be', () => {
  const clock = new ServerClock(() => 0);
  clock.learn(0, 10, 1_005);
  clock.learn(5, 1, 9_999_999);
  clock.learn(0, 1, NaN);
  expect(clock.serverNow()).toBe(1_000);
  clock.learn(700_000, 700_100, 702_050);
  expect(clock.serverNow()).toBe(2_000);
});
