/** An edit as it is asked for and as the log keeps it. */
export interface EditOp {
  readonly kind: string;
  readonly from_ms?: number;
  readonly to_ms?: number;
  readonly at_ms?: number;
  readonly chapter?: string;
  readonly with?: string;
  readonly title?: string;
  readonly expires_at?: string;
}

/** An entry of the log of edits. */
export interface Entry extends EditOp {
  readonly revision: number;
  readonly by: string;
}

/** What undo would take back and what redo would bring again; null where that is not known. */
export interface Next {
  readonly undo: Entry | null;
  readonly redo: Entry | null;
}

/** Walks the log, oldest first, as the server does. A log whose beginning is missing leaves its oldest steps unknown. */
export function nextOf(log: readonly Entry[]): Next {
  const done: Entry[] = [];
  let undone: Entry[] = [];
  for (const e of log) {
    if (e.kind === 'undo') {
      const back = done.pop();
      if (back) undone.push(back);
    } else if (e.kind === 'redo') {
      const again = undone.pop();
      if (again) done.push(again);
    } else {
      done.push(e);
      undone = [];
    }
  }
  return { undo: done[done.length - 1] ?? null, redo: undone[undone.length - 1] ?? null };
}

/** Whether an entry of the log is this edit: whoever never heard the answer finds it there. */
export function isOf(e: Entry, op: EditOp): boolean {
  const at = (v: string | undefined): number => (v === undefined ? NaN : Date.parse(v));
  const same = e.kind === op.kind && e.from_ms === op.from_ms && e.to_ms === op.to_ms && e.at_ms === op.at_ms;
  const when = op.expires_at === undefined || at(e.expires_at) === at(op.expires_at);
  return same && when && (e.chapter ?? '') === (op.chapter ?? '') && (e.with ?? '') === (op.with ?? '') && (e.title ?? '') === (op.title ?? '');
}
