import { describe, expect, it } from 'vitest';
import { liveElsewhere, phase, target, type Facts } from './phase';

const idle: Facts = {
  room: 'known', roomState: 'idle', showId: null, replayId: null, endedId: null, playing: null,
  flowing: false, waitingForHost: false, replayBegun: false, engrossed: false, shifted: false,
};
const onAir: Facts = { ...idle, roomState: 'live', showId: 'show_1' };
const live = { kind: 'live', showId: 'show_1' } as const;
const shift = { kind: 'shift', showId: 'show_1' } as const;
const replay = { kind: 'replay', showId: 'show_1' } as const;

describe('a viewer', () => {
  it.each<[string, Partial<Facts>, ReturnType<typeof target>, ReturnType<typeof phase>]>([
    ['opens the page', { ...idle, room: 'loading' }, null, 'loading'],
    ['has a wrong link', { ...idle, room: 'unknown' }, null, 'unknown'],
    ['has no network', { ...idle, room: 'failed' }, null, 'failed'],
    ['comes before the show', idle, null, 'waiting'],
    ['is there when it starts', onAir, live, 'waiting'],
    ['watches it', { ...onAir, playing: live, flowing: true }, live, 'live'],
    ['waits for the picture', { ...onAir, playing: live }, live, 'live'],
    ['watches what is left after the host dropped', { ...onAir, roomState: 'interrupted', playing: live, flowing: true }, live, 'live'],
    ['waits for the host', { ...onAir, roomState: 'interrupted', playing: live }, live, 'reconnecting'],
    ['is told so until the picture moves', { ...onAir, playing: live, waitingForHost: true }, live, 'reconnecting'],
    ['sees the picture move again', { ...onAir, playing: live, waitingForHost: true, flowing: true }, live, 'live'],
    ['comes while the host is gone', { ...onAir, roomState: 'interrupted' }, live, 'waiting'],
    ['sees the show to its last frame', { ...idle, playing: live, flowing: true }, live, 'live'],
    ['is told of the end before the replay is there', { ...idle, endedId: 'show_1', replayId: 'show_0' }, null, 'ended'],
    ['is offered the replay', { ...idle, endedId: 'show_1', replayId: 'show_1', playing: replay }, replay, 'ended'],
    ['watches the replay', { ...idle, endedId: 'show_1', replayId: 'show_1', playing: replay, replayBegun: true }, replay, 'replay'],
    ['comes after the show', { ...idle, replayId: 'show_1', playing: replay }, replay, 'replay'],
    ['is taken to the next show', { ...onAir, showId: 'show_2', playing: replay }, { kind: 'live', showId: 'show_2' }, 'replay'],
    ['is not carried off from the replay', { ...onAir, showId: 'show_2', playing: replay, engrossed: true }, replay, 'replay'],
    ['is taken from a show to the next', { ...onAir, showId: 'show_2', playing: live }, { kind: 'live', showId: 'show_2' }, 'live'],
    ['goes back in the show', { ...onAir, playing: live, flowing: true, shifted: true }, shift, 'live'],
    ['watches what was before', { ...onAir, playing: shift, shifted: true }, shift, 'shift'],
    ['returns to live', { ...onAir, playing: shift }, live, 'shift'],
    ['is not disturbed there when the host drops', { ...onAir, roomState: 'interrupted', playing: shift, shifted: true }, shift, 'shift'],
    ['watches on when the show is over meanwhile', { ...idle, replayId: 'show_1', playing: shift, shifted: true }, shift, 'replay'],
    ['is taken to the next show from there', { ...onAir, showId: 'show_2', playing: shift, shifted: true }, { kind: 'live', showId: 'show_2' }, 'replay'],
    ['loses the network in mid-show', { ...onAir, room: 'failed', playing: live, flowing: true }, live, 'live'],
  ])('%s', (_, facts, wantTarget, wantPhase) => {
    const f = { ...idle, ...facts };
    expect(target(f)).toEqual(wantTarget);
    expect(phase(f)).toBe(wantPhase);
  });
});

it('offers the live show to who watches a replay', () => {
  expect(liveElsewhere({ ...onAir, playing: replay })).toBe(true);
  expect(liveElsewhere({ ...onAir, playing: live })).toBe(false);
  expect(liveElsewhere({ ...idle, playing: replay })).toBe(false);
});
