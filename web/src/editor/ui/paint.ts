import type { Stretch } from '../../timeline/play-map';
import { highest, share, signalNames, speaks, type SignalName } from '../model/curve';
import { chosen } from '../model/selection';
import { tileAt } from '../model/storyboard';
import { rulerText } from '../model/timecode';
import { ticks, toPx, untilMs, type View as Look } from '../model/view';
import type { View } from './context';
import type { Sheets } from './tiles';

/** Where each lane stands, in pixels from above. */
export const lanes = { ruler: [0, 24], marks: [24, 12], pictures: [38, 54], chapters: [94, 28], sound: [124, 62] } as const;
export const axisHeight = 188;

export type Lane = keyof typeof lanes;

export function laneAt(y: number): Lane | null {
  const names = Object.keys(lanes) as Lane[];
  return names.find((n) => y >= lanes[n][0] && y < lanes[n][0] + lanes[n][1]) ?? null;
}

export const curveColours: Readonly<Record<SignalName, string>> = {
  score: '#f6f3ee', likes: '#fb7185', comments: '#60a5fa', orders: '#34d399', viewers: '#fbbf24', loudness: '#c4a7e7',
};

const bars = ['#9f3d56', '#8a5a24', '#2c6e54', '#3a5591', '#694b95', '#7a651f'];
const font = '12px -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** Words that stand on the axis itself. */
export interface Words {
  readonly noPictures: string;
  readonly noSound: string;
}

/** Draws the axis: everything of the show that has a time, one lane under the other. */
export class Painter {
  private hatch: CanvasPattern | null = null;

  constructor(
    private readonly g: CanvasRenderingContext2D,
    private readonly sheets: Sheets,
  ) {}

  paint(look: Look, view: View, words: Words): void {
    const { g } = this;
    g.font = font;
    g.textBaseline = 'middle';
    g.clearRect(0, 0, look.widthPx, axisHeight);
    this.ruler(look);
    this.pictures(look, view, words);
    this.sound(look, view, words);
    this.chapters(look, view);
    this.marks(look, view);
    this.cuts(look, view.replay?.cuts ?? []);
    this.selection(look, view);
    this.playhead(look, view.atMs);
  }

  private ruler(look: Look): void {
    const { g } = this;
    const { stepMs, list } = ticks(look);
    for (const t of list) {
      const x = Math.round(toPx(look, t.ms)) + 0.5;
      g.strokeStyle = t.major ? 'rgb(255 255 255 / 34%)' : 'rgb(255 255 255 / 14%)';
      g.beginPath();
      g.moveTo(x, t.major ? 8 : 17);
      g.lineTo(x, 22);
      g.stroke();
      g.fillStyle = '#b3b0b8';
      if (t.major) g.fillText(rulerText(t.ms, stepMs), x + 5, 12);
    }
  }

  private pictures(look: Look, view: View, words: Words): void {
    const { g } = this;
    const [top, height] = lanes.pictures;
    const right = Math.min(look.widthPx, toPx(look, look.durationMs));
    const left = Math.max(0, toPx(look, 0));
    g.fillStyle = '#1a1a21';
    g.fillRect(left, top, right - left, height);
    const { board } = view;
    if (board.tiles.length === 0) return this.note(words.noPictures, left, right, top + height / 2);
    const width = Math.max(24, (height * board.width) / board.height);
    const pitch = width * look.msPerPx;
    g.save();
    g.beginPath();
    g.rect(left, top, right - left, height);
    g.clip();
    for (let n = Math.floor(look.fromMs / pitch); n * pitch < untilMs(look) && n * pitch < look.durationMs; n++) {
      const tile = tileAt(board.tiles, (n + 0.5) * pitch);
      const sheet = tile && this.sheets.of(tile);
      if (tile && sheet) g.drawImage(sheet, tile.x, tile.y, board.width, board.height, toPx(look, n * pitch), top, width, height);
    }
    g.restore();
  }

  private sound(look: Look, view: View, words: Words): void {
    const { g } = this;
    const [top, height] = lanes.sound;
    const mid = top + height / 2;
    const right = Math.min(look.widthPx, toPx(look, look.durationMs));
    g.fillStyle = '#15151b';
    g.fillRect(Math.max(0, toPx(look, 0)), top, right, height);
    const { wave } = view;
    if (wave) {
      g.fillStyle = '#4b5672';
      for (let x = 0; x < right; x++) {
        const from = look.fromMs + x * look.msPerPx;
        const peak = wave.between(from, from + look.msPerPx);
        if (!peak) continue;
        const up = (Math.max(0, peak.high) / 128) * (height / 2 - 2);
        const down = (Math.max(0, -peak.low) / 128) * (height / 2 - 2);
        g.fillRect(x, mid - up, 1, Math.max(1, up + down));
      }
    } else if (view.signals === null) this.note(words.noSound, 0, right, mid);
    this.curves(look, view, top, height);
  }

  private curves(look: Look, view: View, top: number, height: number): void {
    const { signals, shown } = view;
    if (!signals) return;
    const names = shown === 'all' ? signalNames.filter((n) => n !== 'score') : [shown];
    for (const name of names) {
      const values = signals.of[name];
      if (speaks(name, values)) this.curve(look, share(name, values), signals.stepMs, curveColours[name], top + 3, height - 6, names.length === 1);
    }
  }

  private curve(look: Look, values: readonly (number | null)[], stepMs: number, colour: string, top: number, height: number, filled: boolean): void {
    const { g } = this;
    const pitch = Math.max(2, stepMs / look.msPerPx / 2);
    const line = new Path2D();
    let drawing = false;
    let last = 0;
    for (let x = -pitch; x <= look.widthPx + pitch; x += pitch) {
      const from = look.fromMs + x * look.msPerPx;
      const v = from < 0 || from > look.durationMs ? null : highest(values, stepMs, from, from + pitch * look.msPerPx);
      if (v === null) {
        drawing = false;
        continue;
      }
      const y = top + height * (1 - v);
      if (drawing) line.lineTo(x, y);
      else line.moveTo(x, y);
      [drawing, last] = [true, x];
    }
    g.strokeStyle = colour;
    g.lineWidth = 1.5;
    g.stroke(line);
    g.lineWidth = 1;
    if (!filled) return;
    line.lineTo(last, top + height);
    line.lineTo(Math.max(-pitch, toPx(look, 0)), top + height);
    g.globalAlpha = 0.14;
    g.fillStyle = colour;
    g.fill(line);
    g.globalAlpha = 1;
  }

  private chapters(look: Look, view: View): void {
    const { g } = this;
    const [top, height] = lanes.chapters;
    view.chapters.forEach((c, i) => {
      const [x, w] = this.extent(look, c);
      if (w <= 0) return;
      const here = c.fromMs <= view.atMs && view.atMs < c.toMs;
      g.globalAlpha = c.hidden ? 0.35 : 1;
      g.fillStyle = bars[i % bars.length] ?? '#555';
      this.rounded(x, top + 1, w, height - 2);
      g.fill();
      if (here) {
        g.strokeStyle = '#fff';
        g.stroke();
      }
      if (w > 24) {
        g.save();
        g.beginPath();
        g.rect(x + 7, top, w - 12, height);
        g.clip();
        g.fillStyle = '#fff';
        g.fillText(c.title, Math.max(x + 8, 8), top + height / 2);
        g.restore();
      }
      g.globalAlpha = 1;
    });
  }

  private marks(look: Look, view: View): void {
    const { g } = this;
    const [top, height] = lanes.marks;
    for (const h of view.highlights ?? []) {
      if (h.state === 'dismissed') continue;
      const [x, w] = this.extent(look, h);
      g.fillStyle = h.state === 'accepted' ? '#34d399' : '#fbbf24';
      g.globalAlpha = 0.85;
      this.rounded(x, top + 2, Math.max(4, w), height - 4);
      g.fill();
      g.globalAlpha = 1;
    }
  }

  private cuts(look: Look, cuts: readonly Stretch[]): void {
    const { g } = this;
    const top = lanes.pictures[0];
    const height = axisHeight - 2 - top;
    for (const c of cuts) {
      const [x, w] = this.extent(look, c);
      if (w <= 0) continue;
      g.fillStyle = 'rgb(8 8 11 / 70%)';
      g.fillRect(x, top, w, height);
      g.fillStyle = this.pattern();
      g.fillRect(x, top, w, height);
      g.strokeStyle = 'rgb(251 113 133 / 70%)';
      g.strokeRect(x + 0.5, top + 0.5, Math.max(1, w - 1), height - 1);
    }
  }

  private selection(look: Look, view: View): void {
    const { g } = this;
    const s = chosen(view.selection);
    const top = lanes.ruler[1];
    if (s) {
      const [x, w] = this.extent(look, s);
      g.fillStyle = 'rgb(96 165 250 / 24%)';
      g.fillRect(x, top, w, axisHeight - top);
    }
    g.fillStyle = '#60a5fa';
    for (const ms of [view.selection.inMs, view.selection.outMs]) {
      if (ms !== null) g.fillRect(Math.round(toPx(look, ms)) - 1, top, 2, axisHeight - top);
    }
  }

  private playhead(look: Look, ms: number): void {
    const { g } = this;
    const x = Math.round(toPx(look, ms));
    g.fillStyle = '#f43f5e';
    g.fillRect(x - 1, 0, 2, axisHeight);
    g.beginPath();
    g.moveTo(x - 7, 0);
    g.lineTo(x + 7, 0);
    g.lineTo(x, 11);
    g.fill();
  }

  private extent(look: Look, s: Stretch): [number, number] {
    const left = Math.max(-4, toPx(look, s.fromMs));
    return [left, Math.min(look.widthPx + 4, toPx(look, s.toMs)) - left];
  }

  private rounded(x: number, y: number, w: number, h: number): void {
    const { g } = this;
    const r = Math.min(5, w / 2, h / 2);
    g.beginPath();
    g.moveTo(x + r, y);
    g.arcTo(x + w, y, x + w, y + h, r);
    g.arcTo(x + w, y + h, x, y + h, r);
    g.arcTo(x, y + h, x, y, r);
    g.arcTo(x, y, x + w, y, r);
    g.closePath();
  }

  private note(text: string, left: number, right: number, y: number): void {
    const { g } = this;
    g.fillStyle = '#8b8892';
    g.textAlign = 'center';
    g.fillText(text, (left + right) / 2, y);
    g.textAlign = 'start';
  }

  private pattern(): CanvasPattern | string {
    if (this.hatch) return this.hatch;
    const tile = document.createElement('canvas');
    tile.width = tile.height = 10;
    const g = tile.getContext('2d');
    if (!g) return 'rgb(251 113 133 / 20%)';
    g.strokeStyle = 'rgb(251 113 133 / 45%)';
    g.lineWidth = 2;
    for (const x of [-10, 0, 10]) {
      g.beginPath();
      g.moveTo(x, 10);
      g.lineTo(x + 10, 0);
      g.stroke();
    }
    this.hatch = this.g.createPattern(tile, 'repeat');
    return this.hatch ?? 'rgb(251 113 133 / 20%)';
  }
}
