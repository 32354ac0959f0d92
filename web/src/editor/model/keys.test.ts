import { expect, it } from 'vitest';
import { actOf } from './keys';

const press = (key: string, more: Partial<Parameters<typeof actOf>[0]> = {}): ReturnType<typeof actOf> => actOf({ key, shift: false, command: false, alt: false, ...more });

it('does what the help says', () => {
  expect([press(' '), press('k'), press('J'), press('l'), press('ArrowLeft'), press('ArrowRight', { shift: true }), press('ArrowRight', { alt: true })]).toEqual(['play', 'play', 'back10', 'on10', 'back1', 'on10', 'frameOn']);
  expect([press('I'), press('o'), press('Home'), press('End'), press('x'), press('Delete'), press('?', { shift: true })]).toEqual(['in', 'out', 'start', 'end', 'cut', 'cut', 'help']);
  expect([press('z', { command: true }), press('Z', { command: true, shift: true }), press('y', { command: true })]).toEqual(['undo', 'redo', 'redo']);
});

it('leaves the browser what is its own', () => {
  expect([press('r', { command: true }), press('s', { command: true }), press('l', { command: true }), press('ArrowUp'), press('F5'), press('d', { alt: true }), press('I', { shift: true })]).toEqual(Array(7).fill(null));
});
