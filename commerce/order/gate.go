package order

import "context"

// enter asks the gate, if there is one, for the pieces of an order. A *SoldOut is as good as the database's own; all else
// is for the database to decide.
func (s *Service) enter(ctx context.Context, showID string, p Placement) error {
	if s.Gate == nil {
		return nil
	}
	for i := range p.Pools {
		if len(p.Pools[i]) == 0 || s.admits(ctx, p.Order.Lines[i], p.Pools[i]) {
			continue
		}
		before := Placement{Order: p.Order, Pools: p.Pools[:i]}
		s.giveBack(ctx, &before)
		s.Count("refused_at_gate")
		s.gone.note(want{p.Order.Lines[i].SKU, showID, p.Order.Lines[i].Quantity}, s.Now())
		return &SoldOut{SKU: p.Order.Lines[i].SKU, Pools: p.Pools[i]}
	}
	return nil
}

// turnAway refuses a cart of which something has just been sold out, before it costs the database anything.
func (s *Service) turnAway(c *Cart) error {
	if s.Gate == nil {
		return nil
	}
	for _, l := range c.Lines {
		if s.gone.is(want{l.SKU, c.ShowID, l.Quantity}, s.Now()) {
			s.Count("refused_at_gate")
			return &SoldOut{SKU: l.SKU}
		}
	}
	return nil
}

// admits reports whether one of the pools may have the pieces of a line.
func (s *Service) admits(ctx context.Context, l Line, pools []string) bool {
	for _, pool := range pools {
		taken, known, err := s.Gate.Take(ctx, pool, l.Quantity)
		if err == nil && !known {
			taken, known, err = s.count(ctx, l, pool)
		}
		if err != nil || !known || taken {
			return true
		}
	}
	return false
}

// count sets the counter of a pool from the database and takes from it.
func (s *Service) count(ctx context.Context, l Line, poolID string) (taken, known bool, err error) {
	pools, err := s.Store.Pools(ctx, l.SKU)
	if err != nil {
		return false, false, err
	}
	for _, p := range pools {
		if p.ID == poolID && !p.Closed {
			if err := s.Gate.Set(ctx, poolID, p.Available); err != nil {
				return false, false, err
			}
			return s.Gate.Take(ctx, poolID, l.Quantity)
		}
	}
	return false, true, nil
}

// giveBack returns to the gate what an order took there and does not need.
func (s *Service) giveBack(ctx context.Context, p *Placement) {
	if s.Gate == nil {
		return
	}
	for i, pools := range p.Pools {
		if len(pools) > 0 {
			s.give(ctx, pools[0], p.Order.Lines[i].Quantity)
		}
	}
}

// openGate returns the pieces that a change of an order's state has freed.
func (s *Service) openGate(ctx context.Context, o *Order, before State) {
	if s.Gate == nil || before != Pending || o.State != Expired && o.State != Cancelled {
		return
	}
	for _, l := range o.Lines {
		if l.PoolID != "" {
			s.give(ctx, l.PoolID, l.Quantity)
		}
	}
}

// give tells the gate of pieces that are free. One that does not hear of it lets too few in until its counters are made
// anew, which is soon.
func (s *Service) give(ctx context.Context, pool string, pieces int64) {
	s.gone.forget()
	if err := s.Gate.Give(ctx, pool, pieces); err != nil {
		s.Log.DebugContext(ctx, "the stock gate does not answer", "pool", pool, "error", err)
	}
}
