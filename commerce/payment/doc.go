// Package payment is the words between orders and those who move the money: what is asked of a provider, and what it
// says. Providers themselves speak over networks and live elsewhere.
package payment
