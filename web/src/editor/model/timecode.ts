/** An instant to the millisecond: 1:05.250, 1:02:03.004. */
export function timecode(ms: number): string {
  const all = Math.max(0, Math.round(ms));
  const s = Math.floor(all / 1000);
  const hours = Math.floor(s / 3600);
  const rest = `${String(s % 60).padStart(2, '0')}.${String(all % 1000).padStart(3, '0')}`;
  const minutes = Math.floor(s / 60) % 60;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

const form = /^(?:(?:(\d{1,3})[:：])?(\d{1,3})[:：])?(\d{1,6})(?:[.,。](\d{1,3}))?$/;

/** Reads what a person writes for an instant: 1:05.25, 65.25, 1:02:03; null for what is none. */
export function parseTimecode(text: string): number | null {
  const m = form.exec(text.trim());
  if (!m) return null;
  const [, h, min, s = '', f = ''] = m;
  if (min !== undefined && Number(s) > 59) return null;
  if (h !== undefined && Number(min) > 59) return null;
  return ((Number(h ?? 0) * 60 + Number(min ?? 0)) * 60 + Number(s)) * 1000 + Number(f.padEnd(3, '0'));
}

/** How long something is, short: 0.8 s, 33.3 s, 5:04. */
export function lengthText(ms: number): string {
  if (ms < 60_000) return `${(Math.round(ms / 100) / 10).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const two = String(s % 60).padStart(2, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${two}` : `${m}:${two}`;
}

/** A label of the ruler, with as many digits as its step needs. */
export function rulerText(ms: number, stepMs: number): string {
  const t = timecode(ms);
  return stepMs < 1_000 ? t.slice(0, -2) : t.slice(0, -4);
}
