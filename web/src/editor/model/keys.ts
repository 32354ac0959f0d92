/** What a key does in the editor. */
export type Act =
  | 'play' | 'frameBack' | 'frameOn' | 'back1' | 'on1' | 'back10' | 'on10' | 'start' | 'end' | 'in' | 'out' | 'clear'
  | 'cut' | 'restore' | 'split' | 'zoomIn' | 'zoomOut' | 'fit' | 'undo' | 'redo' | 'playSelection' | 'help';

export interface KeyPress {
  readonly key: string;
  readonly shift: boolean;
  readonly command: boolean; // Ctrl, or Cmd on a Mac
  readonly alt: boolean;
}

const plain: Readonly<Record<string, Act>> = {
  ' ': 'play', k: 'play', j: 'back10', l: 'on10', arrowleft: 'back1', arrowright: 'on1', ',': 'frameBack', '.': 'frameOn',
  home: 'start', end: 'end', i: 'in', o: 'out', escape: 'clear', delete: 'cut', backspace: 'cut', x: 'cut', r: 'restore', s: 'split',
  '+': 'zoomIn', '=': 'zoomIn', '-': 'zoomOut', f: 'fit', p: 'playSelection', '?': 'help',
};
const shifted: Readonly<Record<string, Act>> = { arrowleft: 'back10', arrowright: 'on10', '<': 'frameBack', '>': 'frameOn', '+': 'zoomIn', '?': 'help', _: 'zoomOut' };

/** What a key press asks for, null for nothing of ours. */
export function actOf(k: KeyPress): Act | null {
  const key = k.key.toLowerCase();
  if (k.command) {
    if (key === 'z' && !k.alt) return k.shift ? 'redo' : 'undo';
    return key === 'y' && !k.shift && !k.alt ? 'redo' : null;
  }
  if (k.alt) return key === 'arrowleft' ? 'frameBack' : key === 'arrowright' ? 'frameOn' : null;
  if (k.shift) return shifted[key] ?? null;
  return plain[key] ?? null;
}
