package funnel

import (
	"context"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// ShareCode marks a link to a show: who comes by it, and what they buy, is told apart in reports.
type ShareCode struct {
	Code     string // 10 characters
	StoreID  string
	ShowID   string
	ViewerID string // whose link it is; empty: the store's own
	// Channel is where the store hands it out: "wechat-group-5". Viewers' links have none.
	Channel   string
	CreatedAt time.Time
}

// Share returns the viewer's own code for a show, which is made when it is first asked for. NotFound.
func (s *Service) Share(ctx context.Context, viewerID, showID string) (ShareCode, error) {
	return s.share(ctx, "funnel.Share", viewerID, showID, "")
}

// ShareOf returns the code of a show's store for a channel, which is made when it is first asked for. NotFound; Invalid: the
// channel cannot be.
func (s *Service) ShareOf(ctx context.Context, showID, channel string) (ShareCode, error) {
	const op = "funnel.ShareOf"
	if channel == "" {
		return ShareCode{}, errs.Field(op, "channel", "say where the link is handed out")
	}
	if err := CheckChannel(op, channel); err != nil {
		return ShareCode{}, err
	}
	return s.share(ctx, op, "", showID, channel)
}

func (s *Service) share(ctx context.Context, op, viewerID, showID, channel string) (ShareCode, error) {
	show, err := s.Shows.ShopShow(ctx, showID)
	if err != nil {
		return ShareCode{}, errs.Wrap(op, err)
	}
	c, err := s.Store.AddShareCode(ctx, ShareCode{
		Code: newCode(), StoreID: show.StoreID, ShowID: show.ID, ViewerID: viewerID, Channel: channel, CreatedAt: s.instant(),
	})
	return c, errs.Wrap(op, err)
}

// ShareCode returns where a code leads. NotFound.
func (s *Service) ShareCode(ctx context.Context, code string) (ShareCode, error) {
	const op = "funnel.ShareCode"
	if !validCode(code) {
		return ShareCode{}, errs.New(errs.NotFound, op, "there is no such share code")
	}
	c, err := s.Store.ShareCode(ctx, code)
	return c, errs.Wrap(op, err)
}

// ShareCodes lists a store's own codes of a show, newest first, at most 200.
func (s *Service) ShareCodes(ctx context.Context, storeID, showID string) ([]ShareCode, error) {
	codes, err := s.Store.ShareCodes(ctx, storeID, showID, 200)
	return codes, errs.Wrap("funnel.ShareCodes", err)
}

// codeLength is short enough for a link that people pass on: 50 random bits, and a guess leads only to a public page.
const codeLength = 10

func newCode() string { return strings.TrimPrefix(ids.New(""), "_")[:codeLength] }

func validCode(code string) bool {
	return len(code) == codeLength && strings.Trim(code, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}
