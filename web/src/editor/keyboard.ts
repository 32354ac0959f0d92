import { actOf, type Act } from './model/keys';
import { chosen, nothing, setIn, setOut } from './model/selection';
import type { Playback } from './playback';
import type { Actions, View } from './ui/context';
import type { Page } from './ui/page';

/** The keys of the page. Fields keep theirs, and so does a button with the focus: Space presses it. */
export class Keyboard {
  constructor(
    private readonly actions: Actions,
    private readonly page: Page,
    private readonly playback: Playback,
    private readonly view: () => View,
  ) {
    document.addEventListener('keydown', (e) => this.pressed(e));
  }

  private pressed(e: KeyboardEvent): void {
    const target = e.target instanceof HTMLElement ? e.target : null;
    if (e.defaultPrevented || e.isComposing || this.view().phase !== 'ready') return;
    if (target?.closest('input:not([type=checkbox]), textarea, select, [role=dialog]')) return;
    if (e.key === ' ' && target?.closest('button, a, input')) return;
    const act = actOf({ key: e.key, shift: e.shiftKey, command: e.ctrlKey || e.metaKey, alt: e.altKey });
    if (act === null) return;
    e.preventDefault();
    this.carryOut(act);
  }

  private carryOut(act: Act): void {
    const { actions } = this;
    const view = this.view();
    const by = (ms: number): void => actions.seek(view.atMs + ms, true);
    const frame = (n: number): void => {
      this.playback.pause();
      by(n * this.playback.frameMs);
    };
    const span = chosen(view.selection);
    const may = (then: () => unknown): void => {
      if (view.off === null) then();
      else actions.say(view.off);
    };
    const does: Readonly<Record<Act, () => unknown>> = {
      play: () => actions.toggle(),
      frameBack: () => frame(-1),
      frameOn: () => frame(1),
      back1: () => by(-1_000),
      on1: () => by(1_000),
      back10: () => by(-10_000),
      on10: () => by(10_000),
      start: () => actions.seek(0, true),
      end: () => actions.seek(view.durationMs, true),
      in: () => actions.select(setIn(view.selection, view.atMs)),
      out: () => actions.select(setOut(view.selection, view.atMs)),
      clear: () => actions.select(nothing),
      cut: () => may(() => actions.cutSelection()),
      restore: () => may(() => span && actions.restore(span)),
      split: () => may(() => actions.splitHere()),
      zoomIn: () => this.page.axis.zoom(1.6),
      zoomOut: () => this.page.axis.zoom(1 / 1.6),
      fit: () => this.page.axis.fit(),
      undo: () => may(() => view.replay?.canUndo === true && actions.edit('undo')),
      redo: () => may(() => view.replay?.canRedo === true && actions.edit('redo')),
      playSelection: () => (span ? actions.playStretch(span) : undefined),
      help: () => this.page.help.dialog.open(),
    };
    does[act]();
  }
}
