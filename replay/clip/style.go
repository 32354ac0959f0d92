package clip

import (
	"encoding/json"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// maxStyle bounds a style in bytes, far above any that means something.
const maxStyle = 16 << 10

// checkStyle says what is wrong with the kind and style of a clip, and returns the style as it is kept.
func (s *Service) checkStyle(k Kind, storeID string, style json.RawMessage) (json.RawMessage, error) {
	const op = "clip.checkStyle"
	switch {
	case k != Instant && !k.File():
		return nil, errs.Field(op, "kind", "%q is none of instant, copy, exact and styled", string(k))
	case k != Styled && len(style) > 0:
		return nil, errs.Field(op, "style", "only clips of the kind styled have a style")
	case len(style) > maxStyle:
		return nil, errs.Field(op, "style", "it has %d bytes; at most %d are read", len(style), maxStyle)
	case k == Instant:
		return nil, nil
	case s.Maker == nil:
		return nil, errs.Field(op, "kind", "this server makes no files of clips: only instant ones")
	}
	return s.Maker.Check(k, storeID, style)
}
