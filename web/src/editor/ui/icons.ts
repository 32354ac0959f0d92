import { drawIcon, el, setAttr, setText } from '../../ui/dom';

// Drawn for this page.
const shapes = {
  play: 'M7 4.500l12 7.500-12 7.500z',
  pause: 'M8 5v14M16 5v14',
  frameBack: 'M17 6l-8 6 8 6zM6 6v12',
  frameOn: 'M7 6l8 6-8 6zM18 6v12',
  sound: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
  mute: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5',
  undo: 'M8.500 5L4 9.500 8.500 14M4.500 9.500H14a5.500 5.500 0 0 1 0 11h-3',
  redo: 'M15.500 5L20 9.500 15.500 14M19.500 9.500H10a5.500 5.500 0 0 0 0 11h3',
  cut: 'M6.500 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM6.500 14.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM8.500 8.500L20 18M8.500 15.500L20 6',
  restore: 'M4.500 12a7.500 7.500 0 1 0 2.300-5.400M4.500 4v4h4',
  split: 'M12 3.500v17M4 8h4v8H4M20 8h-4v8h4',
  merge: 'M4 6h5v12H4M20 6h-5v12h5M11 12h2',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 14.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600z',
  eyeOff: 'M9.900 5.700a9 9 0 0 1 2.100-.2c6 0 9.500 6.500 9.500 6.500a16 16 0 0 1-2.400 3.100M6.200 7.300A15.500 15.500 0 0 0 2.500 12S6 18.500 12 18.500a9 9 0 0 0 4.100-1M4 4l16 16',
  export: 'M12 15V4M7.500 8.500L12 4l4.500 4.500M5 14v6h14v-6',
  download: 'M12 4v11M7.500 10.500L12 15l4.500-4.500M5 19.500h14',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.700-5.700L12 7.200M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.700 5.700l1.300-1.400',
  open: 'M13 5h6v6M19 5l-8 8M17 14v5H5V7h5',
  trash: 'M5 7h14M10 7V4.500h4V7M7 7l1 12.500h8L17 7',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 12h16M8 8l-4 4 4 4M16 8l4 4-4 4',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 2.500-2.500L20 17M15 9v.1',
  check: 'M5 12.500l4.600 4.600L19 7.500',
  select: 'M7 4H4v16h3M17 4h3v16h-3M10 12h4',
  keys: 'M3 6.500h18v11H3zM7 10v.1M11 10v.1M15 10v.1M8 14h8',
  out: 'M14 5H5v14h9M10 12h10M16 8l4 4-4 4',
} as const;

export type IconName = keyof typeof shapes;

export const icon = (name: IconName): SVGSVGElement => drawIcon(name, shapes[name]);

/** A button with an icon, and words beside it where there is room. */
export class Button {
  readonly root: HTMLButtonElement;
  private readonly words = el('span', { class: 'words' });

  constructor(name: IconName | null, act: (e: MouseEvent) => void, kind = 'tool', testid: string | null = null) {
    this.root = el('button', { class: kind, type: 'button', 'data-testid': testid }, name === null ? null : icon(name), this.words);
    this.root.addEventListener('click', act);
  }

  /** Says what it does; why it is off stands in off, '' when it is on. */
  say(words: string, title = words, off: string | null = null): void {
    setText(this.words, words);
    this.label(title, off);
  }

  label(label: string, off: string | null = null): void {
    setAttr(this.root, 'aria-label', label);
    setAttr(this.root, 'title', off === null || off === '' ? label : `${label}: ${off}`);
    if (this.root.disabled !== (off !== null)) this.root.disabled = off !== null;
  }
}
