import { drawIcon } from '../../ui/dom';

// Drawn for this page.
const shapes = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M8 5v14M16 5v14',
  sound: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  shrink: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  rewind: 'M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.6 4.5M12 8.5V12l2.5 1.8',
  talk: 'M4 5.5h16v10.5H11l-4 3.5v-3.5H4zM8 9.5h8M8 12.5h5',
  noTalk: 'M4 5.5h16v10.5H11l-4 3.5v-3.5H4zM5 21L20 3',
  share: 'M12 15V4M8 7.5L12 3.5l4 4M5 12.5V20h14v-7.5',
  download: 'M12 4v11M8 11.5l4 4 4-4M5 19.5h14',
  bag: 'M5 8h14l-1 12H6zM9 10.5V7a3 3 0 0 1 6 0v3.5',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  minus: 'M6 12h12',
  plus: 'M6 12h12M12 6v12',
  heart: 'M12 19.5S4 14.8 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3c0 5.5-8 10.2-8 10.2z',
  send: 'M4 12l16-7-5.5 15-3-6.5z',
  gift: 'M4.5 11h15v9h-15zM3.5 7.5h17V11h-17zM12 7.5V20M12 7.5S8 7.5 8 5.2C8 3.4 11 3.4 12 7.5zM12 7.5s4 0 4-2.3c0-1.8-3-1.8-4 2.3z',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4',
  ticket: 'M4 7h16v3.2a2 2 0 0 0 0 3.6V17H4v-3.2a2 2 0 0 0 0-3.6zM14 7v10',
  close: 'M6 6l12 12M18 6L6 18',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z',
} as const;

export type IconName = keyof typeof shapes;

export function icon(name: IconName): SVGSVGElement {
  return drawIcon(name, shapes[name]);
}
