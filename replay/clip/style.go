package clip

import (
	"encoding/json"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// checkStyle says what is wrong with the style of a clip, and returns it as it is kept.
func checkStyle(k Kind, style json.RawMessage) (json.RawMessage, error) {
	const op = "clip.checkStyle"
	switch k {
	case Instant, Copy, Exact:
		if len(style) > 0 {
			return nil, errs.Field(op, "style", "only clips of the kind styled have a style")
		}
		return nil, nil
	case Styled:
		return style, nil
	}
	return nil, errs.Field(op, "kind", "%q is none of instant, copy, exact and styled", string(k))
}
