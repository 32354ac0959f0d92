const key = 'vitrine.talk';

/** Whether what viewers said stands on the picture of a replay. The viewer's wish outlives the page where it may. */
export const talkShown = {
  value: read(),

  toggle(): void {
    this.value = !this.value;
    try {
      localStorage.setItem(key, this.value ? 'on' : 'off');
    } catch {
      // a private window keeps nothing: it holds until the page is left
    }
  },
};

function read(): boolean {
  try {
    return localStorage.getItem(key) !== 'off';
  } catch {
    return true;
  }
}
