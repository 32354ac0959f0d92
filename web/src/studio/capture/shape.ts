export type Definition = '480p' | '720p' | '1080p';
export type Shape = 'auto' | 'portrait' | 'landscape';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const frameRate = 30;

/** The long and the short side of each definition, and how much its picture may take of the uplink in bit/s. */
const definitions: Readonly<Record<Definition, { long: number; short: number; bitrate: number }>> = {
  '480p': { long: 854, short: 480, bitrate: 1_200_000 },
  '720p': { long: 1280, short: 720, bitrate: 2_500_000 },
  '1080p': { long: 1920, short: 1080, bitrate: 4_500_000 },
};

export function maxBitrate(definition: Definition): number {
  return definitions[definition].bitrate;
}

/**
 * What to ask of the camera. Browsers count a phone's camera as if it lay on its side, and turn the picture as the phone
 * is held: the long side is always the width. A picture that will be cropped to the other shape is asked for larger.
 */
export function cameraSize(definition: Definition, cropped: boolean): Size {
  const { long, short } = definitions[cropped && definition === '720p' ? '1080p' : definition];
  return { width: long, height: short };
}

export const isPortrait = (s: Size): boolean => s.height > s.width;

/** The picture that goes out: the camera's own, or a part of it cut out and scaled to a size. */
export interface Framing {
  readonly crop: boolean;
  readonly size: Size;
}

/**
 * How the camera's picture becomes the one that is sent. A picture of the right shape is sent as it is. On air the size is
 * that of the start, whatever happens to the phone: a player must not be given another one in mid-show.
 */
export function framing(camera: Size, shape: Shape, definition: Definition, onAir: Size | null): Framing {
  const portrait = onAir ? isPortrait(onAir) : shape === 'auto' ? isPortrait(camera) : shape === 'portrait';
  if (isPortrait(camera) === portrait && (!onAir || same(camera, onAir))) return { crop: false, size: camera };
  if (onAir) return { crop: true, size: onAir };
  const { long, short } = definitions[definition];
  return { crop: true, size: portrait ? { width: short, height: long } : { width: long, height: short } };
}

const same = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** The middle part of a picture that has the shape of another size. */
export function centre(from: Size, to: Size): Size & { readonly x: number; readonly y: number } {
  const scale = Math.min(from.width / to.width, from.height / to.height);
  const width = to.width * scale;
  const height = to.height * scale;
  return { x: (from.width - width) / 2, y: (from.height - height) / 2, width, height };
}
