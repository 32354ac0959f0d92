// Package funnel follows viewers from what they were shown to what they bought: it takes what their pages tell, and reports
// what each show brought in. What pages tell counts looks, never money: money comes from the orders alone.
package funnel
