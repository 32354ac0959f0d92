import type { PublisherView } from './api';
import type { KeyStore } from './room-key';

/**
 * Knows this tab's own publish among those the server tells of, by when it began there. It survives a reload of the page:
 * the anchor then goes on with the own show instead of taking over from a stranger.
 */
export class OwnPublish {
  private began = '';

  constructor(
    private readonly room: string,
    private readonly store: () => KeyStore,
  ) {
    this.began = this.reach((s) => s.getItem(this.name)) ?? '';
  }

  /** Whether a publisher is this tab's. */
  is(publisher: PublisherView | null): boolean {
    return this.began !== '' && publisher?.protocol === 'whip' && publisher.connectedAt === this.began;
  }

  /** Takes the publisher of this moment for the own one: the connection is up and the server shows its picture. */
  claim(publisher: PublisherView): void {
    if (publisher.protocol !== 'whip' || publisher.connectedAt === this.began) return;
    this.began = publisher.connectedAt;
    this.reach((s) => s.setItem(this.name, this.began));
  }

  private get name(): string {
    return `vitrine.publish.${this.room}`;
  }

  private reach<T>(act: (s: KeyStore) => T): T | null {
    try {
      return act(this.store());
    } catch {
      return null;
    }
  }
}
