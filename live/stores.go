package live

import (
	"context"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/media"
)

// store is what live keeps durably. Each method is one transaction.
type store interface {
	CreateRoom(ctx context.Context, r Room) error
	Room(ctx context.Context, id string) (Room, error)
	RoomByKeyHash(ctx context.Context, hash string) (Room, error)
	Rooms(ctx context.Context, after string, limit int) ([]Room, error)
	RoomsWithSource(ctx context.Context) ([]Room, error)
	UpdateRoom(ctx context.Context, id string, u RoomUpdate) (Room, error)
	DeleteRoom(ctx context.Context, id string) error

	CreateShow(ctx context.Context, s Show) error
	Show(ctx context.Context, id string) (Show, error)
	Shows(ctx context.Context, roomID, before string, limit int) ([]Show, error)
	UnfinishedShows(ctx context.Context) ([]Show, error)
	UpdateShow(ctx context.Context, s Show) error
	UpdateScheduled(ctx context.Context, s Show) (changed bool, err error)
	AddEpoch(ctx context.Context, showID string, e media.Epoch) error
}

// products finds what a pin shows and what viewers find in the bag, with the prices that hold in a show; the show may be
// empty.
type products interface {
	ForShow(ctx context.Context, showID, productID string) (commerce.Product, error)
	BagFor(ctx context.Context, roomID, showID string) ([]commerce.Product, error)
}
