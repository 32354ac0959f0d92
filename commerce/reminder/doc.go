// Package reminder tells viewers that a show begins: they ask for it once, through a channel that reaches them, and hear of
// it once. A consent is spent with the attempt: what may have been sent is never sent again.
package reminder
