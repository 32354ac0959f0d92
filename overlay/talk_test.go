package overlay_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// tell puts an event of what viewers say onto a show's timeline.
func (c *channel) tell(t *testing.T, show string, typ overlay.Type, at int64, data any) {
	t.Helper()
	if _, err := c.timeline.Append(ctx, show, typ, ms(at), wallAt(ms(at)), data); err != nil {
		t.Fatal(err)
	}
}

func (c *channel) comment(t *testing.T, show string, n int64) {
	t.Helper()
	c.tell(t, show, overlay.TypeComment, n, overlay.CommentData{ID: fmt.Sprint("cmt_", n), Name: "A", Text: fmt.Sprint("say ", n)})
}

// TestHiddenCommentsAreGone takes a comment back: who watches is told so, and nobody is given it any more, by a snapshot, by
// resuming over it from memory or from the log, or by the log itself, after the end of the show too.
func TestHiddenCommentsAreGone(t *testing.T) {
	eachTransport(t, func(t *testing.T, open connect) {
		c := newChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		v := &viewer{}
		conn := open(t, c, room, "")
		v.until(t, conn, v.begun)
		before := v.pos
		for n := range int64(3) {
			c.comment(t, show, n)
		}
		c.tell(t, show, overlay.TypeLikes, 5, overlay.LikesData{Count: 7, Total: 7})
		c.tell(t, show, overlay.TypeCommentHidden, 1, overlay.CommentHiddenData{ID: "cmt_1"})
		v.until(t, conn, func() bool { return v.offset == 5 })
		conn.close()

		late := &viewer{}
		conn = open(t, c, room, "")
		late.until(t, conn, late.begun)
		conn.close()
		state := late.snapshot.State
		if len(state.Comments) != 2 || state.Comments[0].Text != "say 0" || state.Comments[1].ShowTime != 2 || state.Likes != 7 {
			t.Errorf("the snapshot has %+v and %d likes", state.Comments, state.Likes)
		}
		var resumed []string
		for conn, again := open(t, c, room, before), (&viewer{pos: before, epoch: show}); again.offset < 5; {
			f, err := conn.next()
			if err != nil {
				t.Fatal(err)
			}
			again.follow(t, f)
			if resumed = append(resumed, string(f.Event.Data)); again.offset == 5 {
				conn.close()
			}
		}
		if all := strings.Join(resumed, " "); strings.Contains(all, "say 1") || !strings.Contains(all, "say 2") || !strings.Contains(all, `"hidden":true`) {
			t.Errorf("resumed over %s", all)
		}
		if err := c.timeline.EndShow(ctx, show, ms(9), wallAt(ms(9))); err != nil {
			t.Fatal(err)
		}
		c.tell(t, show, overlay.TypeCommentHidden, 2, overlay.CommentHiddenData{ID: "cmt_2"})
		if texts := c.texts(t, show); !slices.Equal(texts, []string{"say 0", "", ""}) {
			t.Errorf("the log says %q", texts)
		}
		if _, err := c.timeline.Append(ctx, show, overlay.TypeComment, 0, wallAt(0), overlay.CommentData{}); errs.KindOf(err) != errs.Conflict {
			t.Errorf("a comment after the end: %v", err)
		}
	})
}

// texts are those of the comments in the log, as it is read.
func (c *channel) texts(t *testing.T, show string) (texts []string) {
	t.Helper()
	events, err := c.timeline.Events(ctx, show, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var data overlay.CommentData
		if e.Type == overlay.TypeComment && json.Unmarshal(e.Data, &data) == nil {
			texts = append(texts, data.Text)
		}
	}
	return texts
}

func TestSnapshotsBeginWithTheNewestComments(t *testing.T) {
	c := newChannel(t, overlay.HubConfig{})
	room := c.room(t)
	show := c.show(t, room)
	for n := range int64(40) {
		c.comment(t, show, n)
	}
	v := &viewer{}
	conn := transports["websocket"](t, c, room, "")
	defer conn.close()
	v.until(t, conn, v.begun)
	got := v.snapshot.State.Comments
	if len(got) != 30 || got[0].Text != "say 10" || got[29].Text != "say 39" {
		t.Errorf("%d comments: %+v", len(got), got)
	}
}

func TestLikesAreToldOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPipeChannel(t, overlay.HubConfig{})
		room := c.room(t)
		show := c.show(t, room)
		conn := dialWebSocket(t, c, room, "")
		watch := read(t, conn)
		synctest.Wait()
		for n := range int64(50) { // 5 s
			c.hub.Likes(room, show, n)
			c.hub.Likes(room, show, n/2)    // from a process that is behind
			c.hub.Likes(room, "show_x", 99) // of another show
			c.hub.Likes("room_x", show, 99) // nobody follows it
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		likes := watch.now().v.likes
		if len(likes) < 5 || len(likes) > 6 || likes[len(likes)-1] != 49 || !slices.IsSorted(likes) {
			t.Errorf("told %v", likes)
		}
		conn.close()
		<-watch.over
	})
}
