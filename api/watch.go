package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// wholePrefix stands before the names of a recording's files where its edits do not count.
const wholePrefix = "whole/"

// PublicChapters is chapters.json: the chapters of a replay for viewers' pages.
type PublicChapters struct {
	Show       string          `json:"show"`
	DurationMS int64           `json:"duration_ms"` // of what is played
	Chapters   []PublicChapter `json:"chapters"`
}

// PublicChapter is a chapter of a replay.
type PublicChapter struct {
	ID         string                  `json:"id"`
	Title      string                  `json:"title"`
	FromMS     int64                   `json:"from_ms"`
	ToMS       int64                   `json:"to_ms"`
	PlayFromMS int64                   `json:"play_from_ms"`
	PlayToMS   int64                   `json:"play_to_ms"`
	PinID      string                  `json:"pin_id"`
	Product    overlay.ProductSnapshot `json:"product"`
	Link       string                  `json:"link"` // where the product is bought; empty: nowhere that an address leads to
}

// replayMedia serves the files of a replay, whole/... to staff alone.
func (s *Server) replayMedia(w http.ResponseWriter, r *http.Request) {
	show, name := r.PathValue("show"), r.PathValue("name")
	if s.Archive == nil {
		s.notPlayable(w, r, errNoArchive)
		return
	}
	if name, ok := strings.CutPrefix(name, wholePrefix); ok {
		if !s.worksOn(r, show) {
			s.notPlayable(w, r, errs.New(errs.Unauthorized, "api.replay", "the whole recording is for staff of its store: sign in first"))
			return
		}
		s.Archive.ServeWhole(privately(w), r, show, name)
		return
	}
	w, err := s.watchable(w, r, show)
	if err != nil {
		s.notPlayable(w, r, err)
		return
	}
	s.Archive.Serve(w, r, show, name)
}

// watchable lets a request see the replay of a show: everybody while it is public, its staff always. What staff alone may
// see is kept by no cache that others share.
func (s *Server) watchable(w http.ResponseWriter, r *http.Request, showID string) (http.ResponseWriter, error) {
	err := s.visible(r.Context(), showID)
	if errs.KindOf(err) == errs.NotFound && s.worksOn(r, showID) {
		return privately(w), nil
	}
	return w, err
}

// visible tells whether the public may see the replay of a show.
func (s *Server) visible(ctx context.Context, showID string) error {
	if s.Edits == nil {
		return nil
	}
	return s.Edits.Visible(ctx, showID)
}

// worksOn reports whether a request for media comes from somebody who works in the store of a show: by the cookie of a
// session, an API token or the admin token.
func (s *Server) worksOn(r *http.Request, showID string) bool {
	who := s.mediaCaller(r)
	if who == nil {
		return false
	}
	show, err := s.Rooms.Show(r.Context(), showID)
	if err != nil {
		return false
	}
	_, err = who.in(show.StoreID, account.RoomsRead)
	return err == nil
}

// mediaCaller is who on the merchant's side asks for media, nil for everybody else. A bearer token that is none of theirs
// does not make a request wrong: it may be a viewer's.
func (s *Server) mediaCaller(r *http.Request) *caller {
	token := bearer(r.Header.Get("Authorization"))
	switch {
	case token != "" && s.isAdmin(token):
		return &caller{principal: account.Principal{ID: "admin", Name: "admin", Admin: true}}
	case strings.HasPrefix(token, account.TokenPrefix+"_"):
		if t, err := s.People.Token(r.Context(), token); err == nil {
			return &caller{token: &t}
		}
		return nil
	}
	cookie := cookieValue(r, staffCookie)
	if cookie == "" {
		return nil
	}
	in, err := s.People.Session(r.Context(), cookie)
	if err != nil {
		return nil
	}
	return &caller{session: &in}
}

// privately makes an answer one that only the browser that asked may keep, and must ask about again.
func privately(w http.ResponseWriter) http.ResponseWriter { return &privateWriter{ResponseWriter: w} }

type privateWriter struct {
	http.ResponseWriter
	sent bool
}

func (w *privateWriter) WriteHeader(status int) {
	w.mark()
	w.ResponseWriter.WriteHeader(status)
}

func (w *privateWriter) Write(b []byte) (int, error) {
	w.mark()
	return w.ResponseWriter.Write(b)
}

func (w *privateWriter) mark() {
	h := w.Header()
	if !w.sent && h.Get("Cache-Control") != "no-store" {
		h.Set("Cache-Control", "private, no-cache")
	}
	w.sent = true
}

// Unwrap keeps deadlines and flushing reachable.
func (w *privateWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// chaptersVTT serves the chapters as players know them.
func (s *Server) chaptersVTT(w http.ResponseWriter, r *http.Request) {
	s.serveChapters(w, r, "text/vtt; charset=utf-8", func(_ string, _ edit.Map, chapters []edit.Played) ([]byte, error) {
		return edit.VTT(chapters), nil
	})
}

// chaptersJSON serves the chapters with their products.
func (s *Server) chaptersJSON(w http.ResponseWriter, r *http.Request) {
	s.serveChapters(w, r, "application/json", func(room string, m edit.Map, chapters []edit.Played) ([]byte, error) {
		doc := PublicChapters{Show: r.PathValue("show"), DurationMS: m.Duration().Milliseconds(), Chapters: make([]PublicChapter, len(chapters))}
		for i, c := range chapters {
			doc.Chapters[i] = publicChapter(room, &c)
		}
		return json.Marshal(doc)
	})
}

func publicChapter(room string, c *edit.Played) PublicChapter {
	return PublicChapter{
		ID: c.ID, Title: c.Title, FromMS: c.Span.From.Milliseconds(), ToMS: c.Span.To.Milliseconds(),
		PlayFromMS: c.Play.From.Milliseconds(), PlayToMS: c.Play.To.Milliseconds(), PinID: c.PinID, Product: c.Product,
		Link: productPage(room, &c.Product),
	}
}

// productPage is where a product of a show is bought: at its own address, or in the page of the room. Pins of older shows
// say nothing of the kind: their address tells.
func productPage(room string, p *overlay.ProductSnapshot) string {
	switch commerce.LinkKind(p.Link) {
	case commerce.LinkCheckout:
		return "/r/" + room + "?product=" + url.QueryEscape(p.ID)
	case commerce.LinkNone:
		return ""
	default:
		return p.URL
	}
}

func (s *Server) serveChapters(w http.ResponseWriter, r *http.Request, typ string, render func(room string, m edit.Map, chapters []edit.Played) ([]byte, error)) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	showID := r.PathValue("show")
	w, err := s.watchable(w, r, showID)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	b, err := s.renderChapters(r.Context(), showID, render)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	newDocument(typ, b).serve(w, r)
}

func (s *Server) renderChapters(ctx context.Context, showID string, render func(string, edit.Map, []edit.Played) ([]byte, error)) ([]byte, error) {
	show, err := s.Rooms.Show(ctx, showID)
	if err != nil {
		return nil, err
	}
	m, err := s.Edits.Map(ctx, showID)
	if err != nil {
		return nil, err
	}
	chapters, err := s.Edits.Chapters(ctx, showID)
	if err != nil {
		return nil, err
	}
	return render(show.RoomID, m, edit.Play(chapters, m))
}

// addRanges tells what of a show its replay plays.
func (s *Server) addRanges(ctx context.Context, doc *Sidecar) error {
	if s.Edits == nil {
		return nil
	}
	state, err := s.Edits.State(ctx, doc.Show)
	if err != nil {
		return err
	}
	doc.Cuts = spans(state.Cuts)
	if doc.State != string(live.Ended) {
		return nil
	}
	m, err := s.Edits.Map(ctx, doc.Show)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return nil
	case err != nil:
		return err
	}
	doc.Ranges, doc.PlayMS = spans(m.Spans()), m.Duration().Milliseconds()
	return nil
}
