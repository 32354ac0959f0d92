import { describe, expect, it } from 'vitest';
import { cameraSize, centre, framing } from './shape';

const wide = { width: 1280, height: 720 };
const tall = { width: 720, height: 1280 };

describe('framing', () => {
  it.each([
    ['a phone held upright', tall, 'auto', null, { crop: false, size: tall }],
    ['a phone on its side', wide, 'auto', null, { crop: false, size: wide }],
    ['a 4:3 webcam', { width: 960, height: 720 }, 'landscape', null, { crop: false, size: { width: 960, height: 720 } }],
    ['a webcam for phones', wide, 'portrait', null, { crop: true, size: tall }],
    ['a phone upright for a wide show', tall, 'landscape', null, { crop: true, size: wide }],
    ['on air, unchanged', tall, 'auto', tall, { crop: false, size: tall }],
    ['on air, turned', wide, 'auto', tall, { crop: true, size: tall }],
    ['on air, another camera', { width: 480, height: 640 }, 'auto', tall, { crop: true, size: tall }],
  ] as const)('%s', (_, camera, shape, onAir, want) => {
    expect(framing(camera, shape, '720p', onAir)).toEqual(want);
  });
});

it('cuts the middle out', () => {
  expect(centre(wide, tall)).toEqual({ x: 437.5, y: 0, width: 405, height: 720 });
  expect(centre(tall, wide)).toEqual({ x: 0, y: 437.5, width: 720, height: 405 });
  expect(centre(wide, { width: 640, height: 360 })).toEqual({ x: 0, y: 0, ...wide });
});

it('asks for more where it will cut', () => {
  expect(cameraSize('720p', false)).toEqual(wide);
  expect(cameraSize('720p', true)).toEqual({ width: 1920, height: 1080 });
  expect(cameraSize('480p', true)).toEqual({ width: 854, height: 480 });
});
