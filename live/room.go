package live

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/transcode"
)

// Room is a lasting place to broadcast from.
type Room struct {
	ID      string
	Title   string
	KeyHash string // hex SHA-256 of the stream key; the key itself is shown once and kept nowhere
	// CaptureDelay is how long a picture takes from the anchor's camera to the server, where the protocol does not
	// tell; at least 0, at most a minute.
	CaptureDelay time.Duration
	// Ladder names the presets of the renditions that are made beside the source, "720p" and the like; empty: none.
	Ladder []string
	// SourceURL is the HLS address that the room's picture is pulled from; empty: the room waits for a publisher.
	SourceURL string
	// StoreID is the merchant's store that the room belongs to; empty when it is made: the default one.
	StoreID   string
	CreatedAt time.Time
}

// RoomUpdate is a partial change of a room; nil fields stay as they are.
type RoomUpdate struct {
	Title        *string
	KeyHash      *string
	CaptureDelay *time.Duration
	Ladder       *[]string
	SourceURL    *string
	StoreID      *string
}

const (
	maxTitle        = 120 // characters
	maxCaptureDelay = time.Minute
	maxSourceURL    = 2048 // bytes
)

var storeID = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// check trims the title and reports the first field that cannot be, as an Invalid error; presets are the names that a
// ladder may have.
func (u *RoomUpdate) check(op string, presets []string) error {
	if u.Title != nil {
		title, err := checkTitle(op, *u.Title)
		if err != nil {
			return err
		}
		u.Title = &title
	}
	if d := u.CaptureDelay; d != nil && (*d < 0 || *d > maxCaptureDelay) {
		return errs.Field(op, "capture_delay_ms", "must be between 0 and %d", maxCaptureDelay.Milliseconds())
	}
	if u.Ladder != nil {
		if err := checkLadder(op, *u.Ladder, presets); err != nil {
			return err
		}
	}
	if u.SourceURL != nil {
		if err := checkSourceURL(op, *u.SourceURL); err != nil {
			return err
		}
	}
	if u.StoreID != nil && !storeID.MatchString(*u.StoreID) {
		return errs.Field(op, "store_id", "must have at most 64 letters, digits, _ or -")
	}
	return nil
}

func checkTitle(op, title string) (string, error) {
	title = strings.TrimSpace(title)
	if n := utf8.RuneCountInString(title); n == 0 || n > maxTitle {
		return "", errs.Field(op, "title", "must have 1 to %d characters", maxTitle)
	}
	return title, nil
}

func checkLadder(op string, ladder, presets []string) error {
	for i, name := range ladder {
		if !slices.Contains(presets, name) {
			return errs.Field(op, "ladder", "knows no %q; choose from %s", name, strings.Join(presets, ", "))
		}
		if slices.Contains(ladder[:i], name) {
			return errs.Field(op, "ladder", "names %q twice", name)
		}
	}
	return nil
}

func checkSourceURL(op, source string) error {
	if source == "" {
		return nil
	}
	u, err := url.Parse(source)
	if err != nil || len(source) > maxSourceURL || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errs.Field(op, "source_url", "must be the http or https address of an HLS playlist (.m3u8), or empty")
	}
	return nil
}

// presetNames are the names that a ladder is made of.
func (r *Rooms) presetNames() (names []string) {
	for _, p := range transcode.Presets() {
		names = append(names, p.Name)
	}
	return names
}
