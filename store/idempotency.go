// Package store holds the words that the storage adapters below it share and that belong to no domain.
package store

import "time"

// IdempotencyTTL is how long the answer to a request with an Idempotency-Key is kept.
const IdempotencyTTL = 24 * time.Hour

// IdempotencyLease is how long a request may be in the works before a repetition of it may run instead: longer than any
// request takes, so that only a crash in the middle of one brings it about.
const IdempotencyLease = time.Minute

// IdempotentRequest identifies a request that a client may repeat.
type IdempotentRequest struct {
	Scope string    // who asks for which operation: the same key in another scope is another request
	Key   string    // the client's Idempotency-Key
	Hash  string    // of all that makes the answer: method, path, body
	At    time.Time // now
}

// IdempotentResponse is the answer that a repeated request gets again.
type IdempotentResponse struct {
	Status int
	Header map[string]string // the headers that belong to the answer, such as Location
	Body   []byte            // UTF-8 text
}
