import type { Definition, Shape } from './capture/shape';
import { isFields } from '../product/product';

/** What the anchor has chosen, kept on the device for the next show. */
export interface Prefs {
  readonly videoId: string;
  readonly audioId: string;
  readonly facing: 'user' | 'environment';
  readonly definition: Definition;
  readonly shape: Shape;
  readonly mirror: boolean; // of the preview of a camera that looks at the anchor
  readonly voice: boolean;
  readonly single: boolean; // one product on screen at a time
}

export const defaults: Prefs = {
  videoId: '', audioId: '', facing: 'user', definition: '720p', shape: 'auto', mirror: true, voice: true, single: true,
};

const name = 'vitrine.studio';

/** Reads what was kept; whatever makes no sense is the default. */
export function readPrefs(kept: string | null): Prefs {
  let v: unknown;
  try {
    v = JSON.parse(kept ?? '');
  } catch {
    return defaults;
  }
  if (!isFields(v)) return defaults;
  const text = (x: unknown): string => (typeof x === 'string' ? x : '');
  const flag = (x: unknown, otherwise: boolean): boolean => (typeof x === 'boolean' ? x : otherwise);
  const one = <T extends string>(x: unknown, of: readonly T[], otherwise: T): T => of.find((o) => o === x) ?? otherwise;
  return {
    videoId: text(v.videoId),
    audioId: text(v.audioId),
    facing: one(v.facing, ['user', 'environment'], defaults.facing),
    definition: one(v.definition, ['480p', '720p', '1080p'], defaults.definition),
    shape: one(v.shape, ['auto', 'portrait', 'landscape'], defaults.shape),
    mirror: flag(v.mirror, defaults.mirror),
    voice: flag(v.voice, defaults.voice),
    single: flag(v.single, defaults.single),
  };
}

// Storage is forbidden in some embedded browsers; a choice then lasts as long as the page.
export function loadPrefs(): Prefs {
  try {
    return readPrefs(localStorage.getItem(name));
  } catch {
    return defaults;
  }
}

export function savePrefs(prefs: Prefs): void {
  try {
    localStorage.setItem(name, JSON.stringify(prefs));
  } catch {
    // see above
  }
}
