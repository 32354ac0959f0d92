// Package pricing says what a cart costs: which price of each line holds, which coupons apply, and why the others do not.
// It is pure: the same input gives the same quote, on the page, at the order and in a test.
package pricing
