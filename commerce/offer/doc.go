// Package offer gives goods away for less: coupons that viewers claim, flash sales of set-aside pieces, and red packets. All
// three stand on the timeline of a show, at a place of its clock, and what the timeline says of them follows what became
// of them.
package offer
