import { expect, it } from 'vitest';
import { govern } from './latency';

const lag = (latency: number, ahead = 1, rate = 1) => ({ latency, target: 1.5, ahead, rate });

it.each([
  ['on target', lag(1.5), { do: 'rate', rate: 1 }],
  ['a little late is left alone', lag(1.8), { do: 'rate', rate: 1 }],
  ['late', lag(2.2), { do: 'rate', rate: 1.05 }],
  ['later', lag(3.5), { do: 'rate', rate: 1.1 }],
  ['goes on until it is there', lag(1.7, 1, 1.05), { do: 'rate', rate: 1.05 }],
  ['there', lag(1.55, 1, 1.05), { do: 'rate', rate: 1 }],
  ['an empty buffer cannot be hurried', lag(3.5, 0.2), { do: 'rate', rate: 1 }],
  ['far behind', lag(7), { do: 'jump' }],
  ['ahead of the target', lag(0.5), { do: 'rate', rate: 1 }],
])('%s', (_, at, want) => {
  expect(govern(at)).toEqual(want);
});
