// Package order turns a cart into money and parcels: quotes, orders with the pieces they hold, payments that come in time,
// late, twice or not at all, refunds, and shipping. Which state may follow which, on whose word, and what becomes of the
// pieces, stands in one table (see Next).
//
// It knows no HTTP and no SQL. Whoever moves money is a payment.Provider; its reports are believed only as far as they fit
// the order, and each counts once.
package order
