package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// checkData compares the deliveries of the timeline: the log, the playlist's date ranges, the realtime channel.
func checkData(t *testing.T, s *server, roomID, showID string, pins []pin, heard *listener) {
	t.Helper()
	tl := s.timeline(t, showID)
	ranges := s.dateRanges(t, "/replay/"+showID+"/main.m3u8")
	for _, p := range pins {
		e := tl.pin(t, p.ID)
		if e.ShowTimeMS != p.ShowTimeMS {
			t.Errorf("%s: show time %d in the answer, %d in timeline.json", p.ID, p.ShowTimeMS, e.ShowTimeMS)
		}
		r, ok := ranges[p.ID]
		if !ok {
			t.Errorf("%s has no EXT-X-DATERANGE", p.ID)
			continue
		}
		wall := tl.Epochs[0].Wall.Add(time.Duration(p.ShowTimeMS-tl.Epochs[0].ShowTimeMS) * time.Millisecond)
		if r["X-SHOW-TIME-MS"] != fmt.Sprint(p.ShowTimeMS) || r["CLASS"] != "vitrine.pin" || r["X-PRODUCT"] != p.ProductID || !sameInstant(r["START-DATE"], wall) || !e.Wall.Equal(wall) {
			t.Errorf("%s at %d ms, %v: EXT-X-DATERANGE says %v, timeline.json %v", p.ID, p.ShowTimeMS, wall, r, e.Wall)
		}
		eventually(t, 5*time.Second, "the channel to tell of "+p.ID, func() bool { _, ok := heard.pin(p.ID); return ok })
		if got, _ := heard.pin(p.ID); got.ShowTimeMS != p.ShowTimeMS || got.Seq != e.Seq {
			t.Errorf("%s: the channel says %+v, timeline.json %+v", p.ID, got, e)
		}
	}
	if live := s.dateRanges(t, "/live/"+roomID+"/"+showID+"/main.m3u8"); len(live) > 0 {
		for id, r := range live {
			if ranges[id]["X-SHOW-TIME-MS"] != r["X-SHOW-TIME-MS"] || ranges[id]["START-DATE"] != r["START-DATE"] {
				t.Errorf("%s: live says %v, the replay %v", id, r, ranges[id])
			}
		}
	}
}

func sameInstant(s string, want time.Time) bool {
	got, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && got.Equal(want)
}

var rangeAttr = regexp.MustCompile(`([A-Z0-9-]+)=("[^"]*"|[^,]*)`)

// dateRanges are the attributes of a playlist's EXT-X-DATERANGE tags by ID.
func (s *server) dateRanges(t *testing.T, path string) map[string]map[string]string {
	t.Helper()
	status, body := s.get(t, path)
	if status != 200 {
		t.Errorf("%s: status %d", path, status)
	}
	out := map[string]map[string]string{}
	for line := range strings.Lines(string(body)) {
		list, ok := strings.CutPrefix(line, "#EXT-X-DATERANGE:")
		if !ok {
			continue
		}
		attrs := map[string]string{}
		for _, m := range rangeAttr.FindAllStringSubmatch(strings.TrimSpace(list), -1) {
			attrs[m[1]] = strings.Trim(m[2], `"`)
		}
		out[attrs["ID"]] = attrs
	}
	return out
}

// listener is a viewer of a room's realtime channel, by event stream.
type listener struct {
	mu     sync.Mutex
	events []event
}

func listen(t *testing.T, s *server, roomID string) *listener {
	t.Helper()
	l := &listener{}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/live/"+roomID+"/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		cancel()
		t.Fatalf("the channel: %v, %v", res, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { l.read(bufio.NewScanner(res.Body)) })
	t.Cleanup(func() {
		cancel()
		res.Body.Close()
		wg.Wait()
	})
	return l
}

func (l *listener) read(lines *bufio.Scanner) {
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var f struct {
			Type  string `json:"type"`
			Event event  `json:"event"`
		}
		if json.Unmarshal([]byte(data), &f) == nil && f.Type == "event" {
			l.mu.Lock()
			l.events = append(l.events, f.Event)
			l.mu.Unlock()
		}
	}
}

func (l *listener) pin(id string) (event, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.events, func(e event) bool { return e.Type == "pin" && e.Data.Pin.ID == id })
	if i < 0 {
		return event{}, false
	}
	return l.events[i], true
}
