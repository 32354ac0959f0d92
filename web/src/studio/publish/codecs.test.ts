import { expect, it } from 'vitest';
import { preferredCodecs } from './codecs';

const c = (mimeType: string, sdpFmtpLine = '') => ({ mimeType, sdpFmtpLine });
const pm = (n: number, profile: string) => c('video/H264', `level-asymmetry-allowed=1;packetization-mode=${n};profile-level-id=${profile}`);

it('prefers H264 in packetization mode 1, keeps VP8 behind it and drops what the server cannot serve', () => {
  const [vp8, rtx, base, mode0, high, vp9] = [c('video/VP8'), c('video/rtx'), pm(1, '42e01f'), pm(0, '42e01f'), pm(1, '640c1f'), c('video/VP9')];
  expect(preferredCodecs([vp8, rtx, base, mode0, high, vp9])).toEqual([base, high, vp8, rtx]);
});

it('offers VP8 where there is no H264, and everything where there is neither', () => {
  expect(preferredCodecs([c('video/VP8'), c('video/AV1'), c('video/rtx')]).map((x) => x.mimeType)).toEqual(['video/VP8', 'video/rtx']);
  expect(preferredCodecs([c('video/AV1')])).toEqual([c('video/AV1')]);
});
