package rediskit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/store"
)

// Answers are kept for repetitions that come soon: those of an impatient buyer or of a client that lost its connection. Later
// ones are answered by the database.
const (
	answerTTL = 10 * time.Minute
	maxAnswer = 64 << 10 // bytes; longer ones stay in the database alone
)

// answersStore is the truth behind the cache.
type answersStore interface {
	BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error)
	FinishIdempotent(ctx context.Context, r store.IdempotentRequest, answer store.IdempotentResponse) error
	AbortIdempotent(ctx context.Context, r store.IdempotentRequest) error
}

// Answers answers repeated requests from Redis when it can, and lets the database decide everything else. Its methods are those
// of sqldb.DB.
type Answers struct {
	db  answersStore
	kit *Kit
}

// NewAnswers puts the cache in front of a database.
func (k *Kit) NewAnswers(db answersStore) *Answers { return &Answers{db, k} }

// kept is an answer in Redis.
type kept struct {
	Hash   string                   `json:"hash"`
	At     int64                    `json:"at"` // ms
	Answer store.IdempotentResponse `json:"answer"`
}

// BeginIdempotent is that of the database, which is not asked when the answer to this very request is at hand.
func (a *Answers) BeginIdempotent(ctx context.Context, r store.IdempotentRequest) (*store.IdempotentResponse, error) {
	if answer := a.find(ctx, r); answer != nil {
		a.kit.metrics.answers.WithLabelValues("hit").Inc()
		return answer, nil
	}
	a.kit.metrics.answers.WithLabelValues("miss").Inc()
	return a.db.BeginIdempotent(ctx, r)
}

// FinishIdempotent stores the answer in the database, and then here.
func (a *Answers) FinishIdempotent(ctx context.Context, r store.IdempotentRequest, answer store.IdempotentResponse) error {
	if err := a.db.FinishIdempotent(ctx, r, answer); err != nil {
		return err
	}
	doc, err := json.Marshal(kept{r.Hash, r.At.UnixMilli(), answer})
	if err != nil || len(doc) > maxAnswer {
		return err
	}
	_ = a.kit.do("answer", func() error { return a.kit.client.Set(ctx, a.key(r), doc, answerTTL).Err() }) // the database has it
	return nil
}

// AbortIdempotent is that of the database: what came to nothing was never here.
func (a *Answers) AbortIdempotent(ctx context.Context, r store.IdempotentRequest) error {
	return a.db.AbortIdempotent(ctx, r)
}

// find returns the answer to exactly this request; what differs is for the database to judge.
func (a *Answers) find(ctx context.Context, r store.IdempotentRequest) *store.IdempotentResponse {
	var doc []byte
	err := a.kit.do("answer", func() (err error) {
		doc, err = a.kit.client.Get(ctx, a.key(r)).Bytes()
		return err
	})
	var k kept
	if err != nil || json.Unmarshal(doc, &k) != nil || k.Hash != r.Hash {
		return nil
	}
	if age := r.At.Sub(time.UnixMilli(k.At)); age >= store.IdempotencyTTL {
		return nil
	}
	return &k.Answer
}

func (a *Answers) key(r store.IdempotentRequest) string {
	return a.kit.prefix + ":answer:{" + r.Scope + " " + r.Key + "}"
}
