package storetest

import (
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

func testRooms(t *testing.T, s Store) {
	ctx := t.Context()
	room := withRoom(t, s, 1)
	equal(t, must(s.Room(ctx, room.ID))(t), room)
	equal(t, must(s.RoomByKeyHash(ctx, room.KeyHash))(t), room)

	kind(t, s.CreateRoom(ctx, room), errs.Conflict)
	sameKey := newRoom(2)
	sameKey.KeyHash = room.KeyHash
	kind(t, s.CreateRoom(ctx, sameKey), errs.Conflict)
	_, err := s.Room(ctx, "room_x")
	kind(t, err, errs.NotFound)
	_, err = s.RoomByKeyHash(ctx, "x")
	kind(t, err, errs.NotFound)

	title, delay := "New title", time.Duration(0)
	updated := must(s.UpdateRoom(ctx, room.ID, live.RoomUpdate{Title: &title, CaptureDelay: &delay}))(t)
	room.Title, room.CaptureDelay = title, delay
	equal(t, updated, room)
	equal(t, must(s.Room(ctx, room.ID))(t), room)

	ladder, source, store := []string{"720p", "360p"}, "https://origin.example/live/index.m3u8", "store-1"
	updated = must(s.UpdateRoom(ctx, room.ID, live.RoomUpdate{Ladder: &ladder, SourceURL: &source, StoreID: &store}))(t)
	room.Ladder, room.SourceURL, room.StoreID = ladder, source, store
	equal(t, updated, room)
	equal(t, must(s.RoomsWithSource(ctx))(t), []live.Room{room})
	ladder, source = nil, ""
	room.Ladder, room.SourceURL = nil, ""
	equal(t, must(s.UpdateRoom(ctx, room.ID, live.RoomUpdate{Ladder: &ladder, SourceURL: &source}))(t), room)

	other := withRoom(t, s, 3)
	_, err = s.UpdateRoom(ctx, room.ID, live.RoomUpdate{KeyHash: &other.KeyHash})
	kind(t, err, errs.Conflict)
	_, err = s.UpdateRoom(ctx, "room_x", live.RoomUpdate{Title: &title})
	kind(t, err, errs.NotFound)
}

func testRoomList(t *testing.T, s Store) {
	ctx := t.Context()
	if rooms := must(s.Rooms(ctx, "", 10))(t); len(rooms) != 0 {
		t.Errorf("an empty store has %d rooms", len(rooms))
	}
	var want []live.Room
	for _, n := range []int{5, 3, 1, 4, 2} {
		want = append(want, withRoom(t, s, n))
	}
	want = []live.Room{want[2], want[4], want[1], want[3], want[0]} // by age
	equal(t, must(s.Rooms(ctx, "", 2))(t), want[:2])
	equal(t, must(s.Rooms(ctx, want[1].ID, 2))(t), want[2:4])
	equal(t, must(s.Rooms(ctx, want[3].ID, 2))(t), want[4:])
	_, err := s.Rooms(ctx, "room_x", 2)
	kind(t, err, errs.Invalid)
}

func testRoomDeletion(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Interrupted)
	p := newProduct(1)
	ok(t, s.CreateProduct(ctx, p))
	ok(t, s.SetBag(ctx, show.RoomID, []string{p.ID}))
	kind(t, s.DeleteRoom(ctx, show.RoomID), errs.Conflict)

	show.State = live.Ended
	ok(t, s.UpdateShow(ctx, show))
	ok(t, s.DeleteRoom(ctx, show.RoomID))
	kind(t, s.DeleteRoom(ctx, show.RoomID), errs.NotFound)
	_, err := s.Room(ctx, show.RoomID)
	kind(t, err, errs.NotFound)
	equal(t, must(s.Show(ctx, show.ID))(t), show) // its replay outlives the room
	if rooms := must(s.RoomsWithProduct(ctx, p.ID))(t); len(rooms) != 0 {
		t.Errorf("the bag of a deleted room is still there: %v", rooms)
	}
}
