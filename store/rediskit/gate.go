package rediskit

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// gateTTL is how long a counter of the gate is believed. A counter drifts when a server dies between a piece taken here and the
// order in the database, or when an answer is lost on its way; it is then read from the database anew after this time.
const gateTTL = 10 * time.Second

// Gate turns buyers away who would find a pool empty, before they queue for its row in the database. It may let in too many,
// whom the database refuses, and for at most gateTTL too few; it never sells anything.
type Gate struct{ kit *Kit }

// NewGate makes the stock gate.
func (k *Kit) NewGate() *Gate { return &Gate{k} }

// take answers -1: no counter, 0: too few left, 1: taken.
var take = redis.NewScript(`
local left = redis.call('GET', KEYS[1])
if not left then return -1 end
if tonumber(left) < tonumber(ARGV[1]) then return 0 end
redis.call('DECRBY', KEYS[1], ARGV[1])
return 1`)

// give leaves the counter's end of life as it is, and makes none: who has none reads the database.
var give = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('INCRBY', KEYS[1], ARGV[1])`)

// Take takes pieces of a pool. known is false when there is no counter: the caller reads the pool from the database, calls Set
// and takes again. An error says that Redis does not answer: the caller goes on to the database.
func (g *Gate) Take(ctx context.Context, pool string, pieces int64) (taken, known bool, err error) {
	var answer int
	err = g.kit.do("stock", func() (err error) {
		answer, err = take.Run(ctx, g.kit.client, []string{g.key(pool)}, pieces).Int()
		return err
	})
	return answer == 1, err == nil && answer >= 0, err
}

// Give returns pieces that were taken and not sold: the order failed for another reason than that the pool was empty, expired
// or was cancelled. When the database finds the pool empty, do not give them back: the counter was too high.
func (g *Gate) Give(ctx context.Context, pool string, pieces int64) error {
	return g.kit.do("stock", func() error {
		return give.Run(ctx, g.kit.client, []string{g.key(pool)}, pieces).Err()
	})
}

// Set makes a pool's counter as the database has it, if there is none.
func (g *Gate) Set(ctx context.Context, pool string, available int64) error {
	err := g.kit.do("stock", func() error {
		return g.kit.client.SetArgs(ctx, g.key(pool), available, redis.SetArgs{Mode: "NX", TTL: gateTTL}).Err()
	})
	if errors.Is(err, redis.Nil) { // there is one
		return nil
	}
	return err
}

func (g *Gate) key(pool string) string { return g.kit.prefix + ":stock:{" + pool + "}" }
