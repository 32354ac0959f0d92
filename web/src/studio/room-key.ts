/** Where a stream key is kept while the page is open; sessionStorage, or nothing where an embedded browser forbids it. */
export interface KeyStore {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/**
 * The stream key of one room. It is kept for as long as the tab lives, and not on the disk: whoever has it can go on air
 * as the shop.
 */
export class RoomKey {
  private current = '';

  constructor(
    private readonly room: string,
    private readonly store: () => KeyStore,
  ) {}

  get value(): string {
    return this.current;
  }

  /** Takes the key of the address, #key=..., else the one that is kept. Says whether the address had one. */
  read(fragment: string): boolean {
    const given = new URLSearchParams(fragment.replace(/^#/, '')).get('key')?.trim() ?? '';
    this.current = given || (this.reach((s) => s.getItem(this.name)) ?? '');
    if (given !== '') this.keep(given);
    return given !== '';
  }

  keep(key: string): void {
    this.current = key;
    this.reach((s) => s.setItem(this.name, key));
  }

  forget(): void {
    this.current = '';
    this.reach((s) => s.removeItem(this.name));
  }

  private get name(): string {
    return `vitrine.key.${this.room}`;
  }

  private reach<T>(act: (s: KeyStore) => T): T | null {
    try {
      return act(this.store());
    } catch {
      return null;
    }
  }
}
