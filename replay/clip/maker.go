package clip

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/cut"
	"github.com/vitrine-live/vitrine/replay/style"
)

// Makers are what files of clips are made with.
type Makers struct {
	FFmpeg string
	// Styles draws styled clips; nil: there are none.
	Styles *style.Renderer
	// Files finds what a style names of what a store uploaded; nil: nothing is there.
	Files func(storeID string, s style.Spec) (StyleFiles, error)
	// Image returns the picture of a product, nil when there is none; nil: none are shown.
	Image func(ctx context.Context, url string) []byte
	// Price writes an amount in minor units as pages do.
	Price func(amount int64, currency string) string
}

// StyleFiles are the files that a style names.
type StyleFiles struct {
	Watermark    []byte // nil: none
	Intro, Outro string // paths; "": none
	IntroLength  media.Ticks
}

var _ Maker = (*Makers)(nil)

// Check implements Maker.
func (m *Makers) Check(k Kind, storeID string, raw json.RawMessage) (json.RawMessage, error) {
	const op = "clip.Check"
	if k != Styled {
		return nil, nil
	}
	if m.Styles == nil {
		return nil, errs.Field(op, "kind", "this server makes no styled clips")
	}
	spec, err := readSpec(raw)
	if err == nil {
		err = spec.Validate()
	}
	if err == nil {
		_, err = m.files(storeID, spec)
	}
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	return json.Marshal(spec)
}

func readSpec(raw json.RawMessage) (spec style.Spec, err error) {
	if len(raw) == 0 {
		return spec, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		return spec, errs.Field("clip.readSpec", "style", "it cannot be read: %v", err)
	}
	return spec, nil
}

func (m *Makers) files(storeID string, spec style.Spec) (StyleFiles, error) {
	if m.Files == nil {
		return StyleFiles{}, nil
	}
	return m.Files(storeID, spec)
}

// Make implements Maker.
func (m *Makers) Make(ctx context.Context, j Job) (Made, error) {
	const op = "clip.Make"
	var made Made
	var err error
	switch j.Clip.Kind {
	case Copy:
		made, err = m.cut(ctx, j, j.Path, j.Progress)
	case Exact:
		r, exactErr := cut.Exact(ctx, j.Recording, j.Clip.Span, j.Path, metaOf(j), cut.Encoder{Program: m.FFmpeg, Threads: j.Threads}, share(j.Progress))
		made, err = Made{Span: r.Span, Bytes: r.Bytes, Encoded: r.Encoded}, exactErr
	case Styled:
		made, err = m.styled(ctx, j)
	case Instant:
		err = errs.New(errs.Invalid, op, "an instant clip has no file")
	}
	return made, errs.Wrap(op, err)
}

func (m *Makers) cut(ctx context.Context, j Job, path string, progress func(float64)) (Made, error) {
	r, err := cut.Copy(ctx, j.Recording, j.Clip.Span, path, metaOf(j), share(progress))
	return Made{Span: r.Span, Bytes: r.Bytes, Encoded: r.Encoded}, err
}

// share makes bytes a share of the whole.
func share(progress func(float64)) cut.Progress {
	if progress == nil {
		return nil
	}
	return func(done, total int64) {
		if total > 0 {
			progress(float64(done) / float64(total))
		}
	}
}

// metaOf is what a file says of itself: its chapters and, for programs, everything timed.
func metaOf(j Job) cut.Meta {
	meta := cut.Meta{Title: j.Clip.Title, Comment: "show " + j.Clip.ShowID + ", clip " + j.Clip.ID, Sidecar: sidecarJSON(j.Sidecar)}
	parts := slices.Clone(j.Sidecar.Chapters)
	slices.SortStableFunc(parts, func(a, b SidecarPart) int { return cmp.Compare(a.From, b.From) })
	for i, p := range parts {
		end := p.To
		if i+1 < len(parts) {
			end = min(end, parts[i+1].From) // a table of contents has one entry at a time: the newest pin
		}
		if end <= p.From {
			continue
		}
		meta.Chapters = append(meta.Chapters, cut.Chapter{Span: spanOf(p.From, end), Title: p.Title, Link: p.Link})
	}
	return meta
}

func spanOf(fromMS, toMS int64) media.Span {
	return media.Span{From: media.FromMilliseconds(fromMS), To: media.FromMilliseconds(toMS)}
}

// cutShare is how much of the work on a styled clip the piece is that it is made of.
const cutShare = 0.1

// styled makes the piece, and of it the clip.
func (m *Makers) styled(ctx context.Context, j Job) (Made, error) {
	if m.Styles == nil {
		return Made{}, errs.New(errs.Invalid, "clip.styled", "this server makes no styled clips")
	}
	spec, err := readSpec(j.Clip.Style)
	if err != nil {
		return Made{}, err
	}
	files, err := m.files(j.Clip.StoreID, spec)
	if err != nil {
		return Made{}, err
	}
	piece := j.Path + ".piece.mp4"
	defer os.Remove(piece)
	made, err := m.cut(ctx, j, piece, func(done float64) { j.Progress(done * cutShare) })
	if err != nil {
		return Made{}, err
	}
	length := j.Clip.Span.Len()
	err = m.Styles.Render(ctx, style.Input{
		Media: piece, Duration: length, Spec: spec, Pins: m.pins(ctx, j.Sidecar), Captions: captions(&spec, j.Sidecar), Watermark: files.Watermark, Intro: files.Intro, Outro: files.Outro,
	}, j.Path, func(done float64) { j.Progress(cutShare + done*(1-cutShare)) })
	if err != nil {
		return Made{}, err
	}
	st, err := os.Stat(j.Path)
	if err != nil {
		return Made{}, err
	}
	return Made{Span: made.Span, Bytes: st.Size(), Encoded: length, Lead: files.IntroLength}, nil
}

// pins are the products that are shown, as they were when they were pinned: that is what the anchor speaks of.
func (m *Makers) pins(ctx context.Context, doc *Sidecar) (pins []style.Pin) {
	images := map[string][]byte{}
	for _, part := range doc.Chapters {
		p := style.Pin{Span: spanOf(part.From, part.To), Title: part.Title, Link: absolute(part.Link)}
		p.Price, p.Was = m.prices(&part.Product)
		url := part.Product.ImageURL
		if _, known := images[url]; !known && url != "" && m.Image != nil {
			images[url] = m.Image(ctx, url)
		}
		p.Image = images[url]
		pins = append(pins, p)
	}
	return pins
}

// captionFor is how long the title of a chapter stands.
const captionFor = 5 * time.Second

// captions are the titles of the chapters, as each begins. Where the card says them already they are drawn if they are asked for.
func captions(spec *style.Spec, doc *Sidecar) (said []style.Caption) {
	if spec.Subtitles == nil && (spec.Card == nil || *spec.Card) {
		return nil
	}
	for _, part := range doc.Chapters {
		to := min(part.To, part.From+captionFor.Milliseconds())
		said = append(said, style.Caption{Span: spanOf(part.From, to), Text: part.Title})
	}
	return said
}

func (m *Makers) prices(p *overlay.ProductSnapshot) (now, was string) {
	if m.Price == nil {
		return "", ""
	}
	amount, before := p.Price, p.Original
	if p.ShowPrice != nil && *p.ShowPrice < amount {
		amount, before = *p.ShowPrice, max(p.Original, p.Price)
	}
	if before > amount {
		was = m.Price(before, p.Currency)
	}
	return m.Price(amount, p.Currency), was
}

// absolute is a link that means something away from this server's pages, "" for any other.
func absolute(link string) string {
	if len(link) == 0 || link[0] == '/' {
		return ""
	}
	return link
}
