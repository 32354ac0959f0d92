package style

import (
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Aspects of a styled clip.
const (
	AspectSource   = "source"
	AspectWide     = "16:9"
	AspectPortrait = "9:16"
	AspectSquare   = "1:1"
)

// How a picture of another aspect comes into the frame.
const (
	FitCrop = "crop" // the frame is filled, what stands over is cut off
	FitPad  = "pad"  // all of the picture is shown, before a blurred copy of itself
)

// Corners where a watermark may stand.
const (
	TopLeft     = "top-left"
	TopRight    = "top-right"
	BottomLeft  = "bottom-left"
	BottomRight = "bottom-right"
)

// Heights of the short side of a styled clip, in pixels.
const (
	DefaultHeight = 720
	MinHeight     = 240
	MaxHeight     = 1080
)

// Spec is what a styled clip should look like. Its zero value keeps the aspect of the source, shows cards with prices and QR
// codes and the captions that there are, and brings the sound to -16 LUFS. It is part of the API.
type Spec struct {
	Aspect    string   `json:"aspect,omitempty" enum:"source,16:9,9:16,1:1" doc:"Default: source."`
	Fit       string   `json:"fit,omitempty" enum:"crop,pad" doc:"How a picture of another aspect comes into the frame: cut to fill it (the default), or whole before a blurred copy of itself."`
	Focus     *float64 `json:"focus,omitempty" minimum:"0" maximum:"1" doc:"Where the cut looks: 0 the left or upper edge, 1 the right or lower one. Default: 0.5."`
	Height    int      `json:"height,omitempty" minimum:"0" maximum:"1080" doc:"Pixels of the short side, 240 to 1080. Default: 720."`
	Card      *bool    `json:"card,omitempty" doc:"Whether products show as cards while they are pinned. Default: true."`
	QR        *bool    `json:"qr,omitempty" doc:"Whether a card has a QR code that leads to the product. Default: true."`
	Subtitles *bool    `json:"subtitles,omitempty" doc:"Whether the titles of the chapters are drawn onto the picture as each begins. Default: where there is no card."`
	Loudness  *bool    `json:"loudness,omitempty" doc:"Whether the sound is brought to -16 LUFS (EBU R128) with true peaks below -1.5 dBTP. Default: true."`
	Watermark string   `json:"watermark,omitempty" maxLength:"40" doc:"Id of an uploaded watermark." example:"ast_0123456789abcdef"`
	Corner    string   `json:"corner,omitempty" enum:"top-left,top-right,bottom-left,bottom-right" doc:"Where the watermark stands. Default: top-right."`
	Intro     string   `json:"intro,omitempty" maxLength:"40" doc:"Id of an uploaded video that plays before the clip."`
	Outro     string   `json:"outro,omitempty" maxLength:"40" doc:"Id of an uploaded video that plays after the clip."`
}

// Validate returns an Invalid error that names the field. It does not look whether the files named are there: Assets.Resolve does.
func (s Spec) Validate() error {
	const op = "style.Spec"
	if !oneOf(s.Aspect, "", AspectSource, AspectWide, AspectPortrait, AspectSquare) {
		return errs.Field(op, "aspect", "the aspect must be source, 16:9, 9:16 or 1:1")
	}
	if !oneOf(s.Fit, "", FitCrop, FitPad) {
		return errs.Field(op, "fit", "the fit must be crop or pad")
	}
	if s.Focus != nil && !(*s.Focus >= 0 && *s.Focus <= 1) {
		return errs.Field(op, "focus", "the focus must be 0 to 1")
	}
	if s.Height != 0 && (s.Height < MinHeight || s.Height > MaxHeight) {
		return errs.Field(op, "height", "the height must be %d to %d pixels of the short side", MinHeight, MaxHeight)
	}
	if !oneOf(s.Corner, "", TopLeft, TopRight, BottomLeft, BottomRight) {
		return errs.Field(op, "corner", "the corner must be top-left, top-right, bottom-left or bottom-right")
	}
	return nil
}

func oneOf(s string, of ...string) bool {
	for _, o := range of {
		if s == o {
			return true
		}
	}
	return false
}

// on reads a switch that is on unless it was turned off.
func on(b *bool) bool { return b == nil || *b }

func (s Spec) height() int {
	if s.Height == 0 {
		return DefaultHeight
	}
	return s.Height &^ 1
}

func (s Spec) focus() float64 {
	if s.Focus == nil {
		return 0.5
	}
	return *s.Focus
}

func (s Spec) corner() string {
	if s.Corner == "" {
		return TopRight
	}
	return s.Corner
}
