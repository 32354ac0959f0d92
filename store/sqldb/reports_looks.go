package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"hash/maphash"

	"github.com/vitrine-live/vitrine/commerce/funnel"
)

// people are whom a row has counted: how that is kept is the teller's affair.
type people struct {
	newest int64
	met    map[uint64]struct{}
}

// teller tells people apart.
type teller interface {
	// next takes the viewer of the next event; add counts them among people, and reports whether they are new there.
	next(kind, viewer []byte)
	add(to *people) bool
}

// addLooks adds the events that a query makes: the kind, the viewer, and then so many keys.
func (all sheets) addLooks(ctx context.Context, tx *sql.Tx, keys int, t teller, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err below tells
	var kind, viewer sql.RawBytes
	key, dest := keysInto(keys, &kind, &viewer)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		t.next(kind, viewer)
		for i := range all {
			all[i].row(key).look(funnel.Kind(kind), t)
		}
	}
	return rows.Err()
}

func (r *row) look(kind funnel.Kind, t teller) {
	switch kind {
	case funnel.Exposure:
		r.Exposures++
		if t.add(&r.seen) {
			r.Viewers++
		}
	case funnel.Click:
		r.Clicks++
		if t.add(&r.took) {
			r.Clickers++
		}
	case funnel.Add:
		r.Adds++
	}
}

// inTurn tells people apart whose events follow each other, kind by kind: the newest one that a row has counted says it all.
// It keeps nothing beside.
type inTurn struct {
	turns
	now int64
}

func (t *inTurn) next(kind, viewer []byte) { t.now = t.turns.next(viewer, kind) }

func (t *inTurn) add(to *people) bool {
	first := to.newest != t.now
	to.newest = t.now
	return first
}

// turns numbers from 1 what follows each other.
type turns struct {
	n    int64
	a, b []byte
}

func (t *turns) next(a, b []byte) int64 {
	if t.n == 0 || !bytes.Equal(a, t.a) || !bytes.Equal(b, t.b) {
		t.n++
		t.a, t.b = append(t.a[:0], a...), append(t.b[:0], b...)
	}
	return t.n
}

// mixed tells people apart whose events come in any order, by 64 bits of a hash: some tens of bytes for each of a row's
// viewers, where a database would sort all events. That two of ten million are taken for one happens to one report in 300,000.
type mixed struct {
	seed maphash.Seed
	now  uint64
}

func (m *mixed) next(_, viewer []byte) { m.now = maphash.Bytes(m.seed, viewer) }

func (m *mixed) add(to *people) bool {
	if _, met := to.met[m.now]; met {
		return false
	}
	if to.met == nil {
		to.met = map[uint64]struct{}{}
	}
	to.met[m.now] = struct{}{}
	return true
}
