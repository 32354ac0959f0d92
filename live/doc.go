// Package live runs live rooms: it takes publications in, keeps one session per show across reconnects and restarts,
// owns the show clock, and wires the packager, the recording, the timeline and the realtime channel together.
package live
