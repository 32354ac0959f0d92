// Package sandbox is a payment provider that moves no money: a page where whoever tries a shop decides what the bank does.
// It pays, fails, pays after the order has expired, or pays twice, and reports to the shop by the same door as a real
// provider: signed, sometimes twice. Its books are durable, so that nothing is forgotten when the server dies.
package sandbox
