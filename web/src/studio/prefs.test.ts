import { expect, it } from 'vitest';
import { defaults, readPrefs } from './prefs';

it.each([null, '', '{', '[]', 'null', '"x"'])('%j is the defaults', (kept) => {
  expect(readPrefs(kept)).toEqual(defaults);
});

it('keeps what makes sense and nothing else', () => {
  expect(readPrefs('{"facing":"environment","definition":"4k","shape":"portrait","mirror":0,"single":false,"videoId":7,"extra":1}')).toEqual({
    ...defaults, facing: 'environment', shape: 'portrait', single: false,
  });
});

it('reads what it has written', () => {
  const chosen = { ...defaults, audioId: 'mic', voice: false, definition: '1080p' } as const;
  expect(readPrefs(JSON.stringify(chosen))).toEqual(chosen);
});
