package offer

import "time"

// Kind is the kind of an offer, which is also the type of its events on the timeline.
type Kind string

// The kinds.
const (
	CouponKind    Kind = "coupon"
	FlashSaleKind Kind = "flash_sale"
	RedPacketKind Kind = "red_packet"
)

// The prefixes of identifiers.
const (
	couponPrefix = "cpn"
	packetPrefix = "rpk"
	flashPrefix  = "fls"
	claimPrefix  = "clm"
)

// Saying is what the timeline says of an offer.
type Saying string

// What is said, by kind.
const (
	Dropped   Saying = "dropped"   // coupons, red packets: there to be claimed
	Exhausted Saying = "exhausted" // coupons: all are claimed
	Emptied   Saying = "empty"     // red packets: all pieces are claimed
	Announced Saying = "announced" // flash sales: starts at the time in the event
	Started   Saying = "started"
	SoldOut   Saying = "sold_out" // for now: unpaid orders may give pieces back
	Back      Saying = "back"     // there are some again
	Withdrawn Saying = "stopped"  // all
)

// Drop is the place of an offer on the timeline of a show.
type Drop struct {
	ShowID     string
	OfferID    string
	StoreID    string
	Kind       Kind
	ShowTimeMS int64 // from which picture on viewers see it
	DroppedAt  time.Time
	Saying     Saying // the newest, which StateMS places; nil: where the clock stands when it is told
	StateMS    *int64
	Seq        int64 // counts what was to be said, from 1 on
	Told       int64 // the last of it that is on the timeline; 0: nothing
}

// Open reports whether viewers can take part, or soon: open offers stand in the channel's snapshots.
func (d *Drop) Open() bool {
	switch d.Saying {
	case Dropped, Announced, Started, SoldOut, Back:
		return true
	case Exhausted, Emptied, Withdrawn:
	}
	return false
}

func (d *Drop) closedBecause() string {
	switch d.Saying {
	case Exhausted, Emptied:
		return "all are claimed"
	case Dropped, Announced, Started, SoldOut, Back, Withdrawn:
	}
	return "it cannot be claimed any more"
}
