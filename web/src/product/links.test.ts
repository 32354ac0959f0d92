import { expect, it } from 'vitest';
import { webLink } from './links';

const base = 'https://shop.example/r/room_1';

it.each([
  ['https://a.example/x?y=1', 'https://a.example/x?y=1'],
  ['http://a.example', 'http://a.example/'],
  ['/media/a.jpg', 'https://shop.example/media/a.jpg'],
  ['javascript:alert(1)', null],
  [' JaVaScRiPt:alert(1)', null],
  ['java\nscript:alert(1)', null],
  ['data:text/html,<script>1</script>', null],
  ['weixin://pay', null],
  ['http://', null],
  ['', null],
  [undefined, null],
  [12, null],
])('%j becomes %j', (raw, want) => {
  expect(webLink(raw, base)).toBe(want);
});
