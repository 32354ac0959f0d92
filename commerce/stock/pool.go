// Package stock counts pieces. Each SKU's pieces lie in pools, and each piece is available, reserved or sold: total ==
// available + reserved + sold holds for every pool at every instant, and so for the SKU.
package stock

// Kind says what a pool is for.
type Kind string

// The kinds of pools.
const (
	Main  Kind = "main"  // what is not set aside; its id is the SKU's
	Show  Kind = "show"  // an allotment: set aside for one show
	Flash Kind = "flash" // set aside for one flash sale
)

// Pool is a number of pieces of one SKU.
type Pool struct {
	ID    string
	SKU   string
	Kind  Kind
	Ref   string // the show or the flash sale; empty for the main pool
	Level        // how many
	// Closed pools sell nothing; what is released from them goes to the main pool.
	Closed bool
}

// Level is the pieces of a pool, or of all pools of a SKU.
type Level struct {
	Total     int64
	Available int64
	Reserved  int64
	Sold      int64
}

// Whole reports whether nothing was lost or made up.
func (l Level) Whole() bool {
	return l.Available >= 0 && l.Reserved >= 0 && l.Sold >= 0 && l.Total == l.Available+l.Reserved+l.Sold
}

// Plus adds two levels.
func (l Level) Plus(m Level) Level {
	return Level{l.Total + m.Total, l.Available + m.Available, l.Reserved + m.Reserved, l.Sold + m.Sold}
}

// Sum is the level of a SKU: that of all its pools.
func Sum(pools []Pool) (l Level) {
	for _, p := range pools {
		l = l.Plus(p.Level)
	}
	return l
}
