package overlay

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
)

// MaxActivePins is how many products may be on screen at once.
const MaxActivePins = 20

// Range is the interval of one pin.
type Range struct {
	Pin       Pin // Featured as it was pinned
	StartWall time.Time
	// End is where it was unpinned or the show ended, at least Pin.ShowTime. It holds when EndWall is set: a zero
	// EndWall says that the pin is active.
	End     media.Ticks
	EndWall time.Time
}

// Active reports whether the pin is on screen.
func (r *Range) Active() bool { return r.EndWall.IsZero() }

// board is what a log adds up to: the pins of a show from its first event to its last. It is pure; its owner guards it.
type board struct {
	ranges   []Range        // in the order of the log
	index    map[string]int // of each pin, by ID
	active   []int          // indexes of the active ones, in the order of the log
	featured int            // 1 + index of the featured pin that starts last, active or not; 0: none
	offers   []Offer        // open ones, in the order in which they opened
	talk     talk
	ended    bool
	endEvent Event // that said so; Seq 0 when the show's record alone did
}

// apply takes the next event of the log.
func (b *board) apply(e Event) error {
	switch e.Type {
	case TypePin:
		return b.applyPin(e)
	case TypeUnpin:
		return b.applyUnpin(e)
	case TypeState:
		if endsShow(e) {
			b.close(e.ShowTime, e.Wall)
			b.endEvent = e
		}
	case TypeCoupon, TypeFlashSale, TypeRedPacket, TypeLottery:
		return b.applyOffer(e)
	case TypeComment, TypeCommentHidden, TypeLikes:
		return b.talk.apply(e)
	case TypeBag, TypeProduct, TypeAnnouncement, TypeStock, TypeOrder:
	}
	return nil
}

func (b *board) applyOffer(e Event) error {
	o := Offer{Type: e.Type, ShowTime: e.ShowTime}
	if err := json.Unmarshal(e.Data, &o.OfferData); err != nil {
		return err
	}
	i := slices.IndexFunc(b.offers, func(old Offer) bool { return old.ID == o.ID })
	switch {
	case i >= 0 && o.Open:
		b.offers[i] = o
	case i >= 0:
		b.offers = slices.Delete(b.offers, i, i+1)
	case o.Open:
		b.offers = append(b.offers, o)
	}
	return nil
}

func (b *board) applyPin(e Event) error {
	var data PinData
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	pin := data.Pin
	pin.ShowTime = e.ShowTime // JSON holds milliseconds only
	if b.index == nil {
		b.index = map[string]int{}
	}
	i := len(b.ranges)
	b.ranges = append(b.ranges, Range{Pin: pin, StartWall: e.Wall})
	b.index[pin.ID] = i
	b.active = append(b.active, i)
	if pin.Featured && (b.featured == 0 || pin.ShowTime >= b.ranges[b.featured-1].Pin.ShowTime) {
		b.featured = i + 1
	}
	return nil
}

func (b *board) applyUnpin(e Event) error {
	var data UnpinData
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	i, ok := b.index[data.PinID]
	if !ok {
		return errs.New(errs.NotFound, "overlay.apply", "unpin of %s, which was never pinned", data.PinID)
	}
	b.ranges[i].end(e.ShowTime, e.Wall)
	b.active = slices.DeleteFunc(b.active, func(j int) bool { return j == i })
	return nil
}

// close ends what is active, once.
func (b *board) close(at media.Ticks, wall time.Time) {
	if b.ended {
		return
	}
	b.ended = true
	for _, i := range b.active {
		b.ranges[i].end(at, wall)
	}
	b.active = nil
}

func (r *Range) end(at media.Ticks, wall time.Time) {
	r.End, r.EndWall = at, wall
	if at < r.Pin.ShowTime { // placed beyond the end of the show
		r.End, r.EndWall = r.Pin.ShowTime, r.StartWall
	}
}

// pins returns the active pins in the order of the log, Featured as it is now.
func (b *board) pins() []Pin {
	pins := make([]Pin, len(b.active))
	for k, i := range b.active {
		pins[k] = b.ranges[i].Pin
		pins[k].Featured = b.featured == i+1
	}
	return pins
}

// pin decides what pinning comes to: the pin, and the events that bring it about, none when it is there already.
func (b *board) pin(op string, want Pin, wall time.Time) (Pin, []Event, error) {
	if b.ended {
		return Pin{}, nil, errs.New(errs.Conflict, op, "the show has ended")
	}
	var events []Event
	if old, ok := b.activePin(want.ProductID); ok {
		switch {
		case want.ShowTime < old.ShowTime:
			return Pin{}, nil, errs.New(errs.Conflict, op, "the product is pinned already, from %d ms of show time on (%s): unpin it first",
				old.ShowTime.Milliseconds(), old.ID)
		case old.Featured || !want.Featured:
			return old, nil, nil
		}
		e, err := newEvent(op, TypeUnpin, want.ShowTime, wall, UnpinData{PinID: old.ID, ProductID: old.ProductID})
		if err != nil {
			return Pin{}, nil, err
		}
		events = append(events, e)
	} else if len(b.active) >= MaxActivePins {
		return Pin{}, nil, errs.New(errs.Exhausted, op, "%d products are pinned, which is the most at once: unpin one first", MaxActivePins)
	}
	want.ID = ids.New("pin")
	e, err := newEvent(op, TypePin, want.ShowTime, wall, PinData{Pin: want})
	return want, append(events, e), err
}

// unpin decides what unpinning comes to.
func (b *board) unpin(op, pinID string, at media.Ticks, wall time.Time) ([]Event, error) {
	i, ok := b.index[pinID]
	if !ok {
		return nil, errs.New(errs.NotFound, op, "there is no pin %s in this show", pinID)
	}
	r := &b.ranges[i]
	if !r.Active() {
		return nil, errs.New(errs.Conflict, op, "pin %s is not on screen any more", pinID)
	}
	if at < r.Pin.ShowTime {
		at, wall = r.Pin.ShowTime, r.StartWall
	}
	e, err := newEvent(op, TypeUnpin, at, wall, UnpinData{PinID: pinID, ProductID: r.Pin.ProductID})
	return []Event{e}, err
}

func (b *board) activePin(productID string) (Pin, bool) {
	for _, p := range b.pins() {
		if p.ProductID == productID {
			return p, true
		}
	}
	return Pin{}, false
}

// endsShow reports whether an event says that the show has ended.
func endsShow(e Event) bool {
	var data StateData
	return e.Type == TypeState && json.Unmarshal(e.Data, &data) == nil && data.State == stateEnded
}
