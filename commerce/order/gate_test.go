package order

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/stock"
)

// counter is a gate in memory.
type counter struct {
	left   map[string]int64
	broken error
}

func (c *counter) Take(_ context.Context, pool string, pieces int64) (taken, known bool, err error) {
	n, known := c.left[pool]
	if c.broken != nil || !known || n < pieces {
		return false, known, c.broken
	}
	c.left[pool] -= pieces
	return true, true, nil
}

func (c *counter) Give(_ context.Context, pool string, pieces int64) error {
	if _, known := c.left[pool]; known {
		c.left[pool] += pieces
	}
	return c.broken
}

func (c *counter) Set(_ context.Context, pool string, available int64) error {
	if _, known := c.left[pool]; !known {
		c.left[pool] = available
	}
	return c.broken
}

// shelf is a store of which only the pools are asked.
type shelf struct {
	Store
	allotments
	pools map[string][]stock.Pool
}

func (s *shelf) Pools(_ context.Context, sku string) ([]stock.Pool, error) { return s.pools[sku], nil }

// The gate turns away whom the database would, lets in everybody when it does not answer, and keeps nothing of an order
// that came to nothing.
func TestGate(t *testing.T) {
	gate := &counter{left: map[string]int64{}}
	pool := func(id, sku string, n int64) []stock.Pool {
		return []stock.Pool{{ID: id, SKU: sku, Level: stock.Level{Available: n}}}
	}
	s := New(Config{}, Deps{Gate: gate, Log: slog.New(slog.DiscardHandler), Store: &shelf{pools: map[string][]stock.Pool{"a": pool("a", "a", 3), "b": pool("b", "b", 1)}}})
	cart := func(a, b int64) Placement {
		return Placement{Order: Order{Lines: []Line{{SKU: "a", Quantity: a}, {SKU: "b", Quantity: b}}}, Pools: [][]string{{"a"}, {"b"}}}
	}
	var soldOut *SoldOut
	if err := s.enter(t.Context(), "", cart(2, 2)); !errors.As(err, &soldOut) || soldOut.SKU != "b" {
		t.Errorf("got %v", err)
	}
	if gate.left["a"] != 3 || gate.left["b"] != 1 {
		t.Errorf("kept pieces of a refused order: %v", gate.left)
	}
	p := cart(2, 1)
	if err := s.enter(t.Context(), "", p); err != nil {
		t.Error(err)
	}
	if err := s.enter(t.Context(), "", cart(1, 1)); !errors.As(err, &soldOut) {
		t.Errorf("got %v", err)
	}
	s.giveBack(t.Context(), &p)
	if err := s.enter(t.Context(), "", cart(3, 1)); err != nil {
		t.Error(err)
	}
	gate.broken = errors.New("no answer")
	if err := s.enter(t.Context(), "", cart(3, 1)); err != nil {
		t.Errorf("a gate that does not answer kept somebody out: %v", err)
	}
}
