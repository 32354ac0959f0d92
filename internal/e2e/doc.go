// Package e2e tests Vitrine from outside, with real parts: the binary as it is shipped, ffmpeg as the publisher and as a
// player, Chromium as the viewer. Its tests do not run with -short: they keep real time, and two cores. Those that
// measure, or look on with a browser, run one at a time; those that mostly wait for a show run beside each other after them.
package e2e
