import { expect, it } from 'vitest';
import { phase, sending, type Facts } from './phase';

const facts = (over: Partial<Facts>): Facts => ({ room: 'known', publisher: 'off', shown: false, wasShown: false, elsewhere: false, ended: false, ...over });

it.each([
  [{ room: 'loading' }, 'loading'],
  [{ room: 'locked' }, 'locked'],
  [{ room: 'unknown' }, 'unknown'],
  [{ room: 'failed' }, 'failed'],
  [{}, 'ready'],
  [{ publisher: 'connecting' }, 'connecting'],
  [{ publisher: 'up' }, 'connecting'],
  [{ publisher: 'up', shown: true, wasShown: true }, 'live'],
  [{ publisher: 'up', wasShown: true }, 'reconnecting'],
  [{ publisher: 'recovering', wasShown: true }, 'reconnecting'],
  [{ publisher: 'recovering' }, 'connecting'],
  [{ publisher: 'recovering', wasShown: true, room: 'failed' }, 'reconnecting'],
  [{ publisher: 'up', shown: true, room: 'locked' }, 'live'],
  [{ elsewhere: true }, 'elsewhere'],
  [{ publisher: 'displaced', elsewhere: true }, 'elsewhere'],
  [{ publisher: 'displaced' }, 'ready'],
  [{ publisher: 'refused' }, 'ready'],
  [{ ended: true }, 'ended'],
  [{ ended: true, elsewhere: true }, 'elsewhere'],
] as const)('%j is %s', (over, want) => {
  const p = phase(facts(over));
  expect(p).toBe(want);
  expect(sending(p)).toBe(['connecting', 'live', 'reconnecting'].includes(want));
});
