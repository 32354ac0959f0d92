// Package e2e tests Vitrine from outside, with real parts: the binary as it is shipped, ffmpeg as the publisher and as a
// player, Chromium as the viewer. Its tests run one at a time, and not with -short: they keep real time, and two cores.
package e2e
