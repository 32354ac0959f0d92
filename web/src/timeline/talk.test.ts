import { expect, it } from 'vitest';
import { Talk } from './talk';

const comment = (talk: Talk, id: string, showMs: number) => talk.event('comment', 1, showMs, { id, name: 'A**', text: id });

it('tells what had been said by an instant, in the order of the show', () => {
  const talk = new Talk();
  comment(talk, 'b', 2_000);
  comment(talk, 'a', 1_000);
  comment(talk, 'b', 2_000); // the snapshot again
  talk.event('order', 7, 1_500, { product_id: 'prod_1', buyer: '王**' });
  talk.event('pin', 8, 1_500, {});
  expect(talk.at(1_999, 5, 60_000).map((s) => s.id)).toEqual(['a', 'order-7']);
  expect(talk.at(2_000, 2, 60_000).map((s) => s.id)).toEqual(['order-7', 'b']);
  expect(talk.at(61_500, 5, 60_000).map((s) => s.id)).toEqual(['b']);
});

it('forgets what was taken back, before and after it came', () => {
  const talk = new Talk();
  comment(talk, 'a', 1_000);
  talk.event('comment_hidden', 2, 1_000, { id: 'a' });
  talk.event('comment_hidden', 3, 1_000, { id: 'b' });
  comment(talk, 'b', 1_000);
  comment(talk, 'a', 1_000);
  talk.event('comment', 4, 1_000, { id: 'c', hidden: true });
  expect(talk.at(9_000, 5, 60_000)).toEqual([]);
});
