package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func TestClipCommand(t *testing.T) {
	h := newClipHouse(t)
	h.serve(t)
	for name, test := range map[string]func(*testing.T){
		"files": h.testFiles, "instant": h.testInstant, "chapter": h.testChapter, "all products": h.testAllProducts, "list": h.testList,
		"intervals": h.testIntervals, "tokens": h.testTokens, "targets": h.testTargets, "full disk": h.testFullDisk, "without server": h.testFolder,
		"without server, refused": h.testFolderRefuses,
	} {
		t.Run(name, test)
	}
	t.Run("interrupted", h.testInterrupted)
}

// Each kind that has a file comes as one that plays as long as was asked for.
func (h *clipHouse) testFiles(t *testing.T) {
	for kind, to := range map[string]float64{"copy": 5.3, "exact": 5.3, "styled": 3.7} { // which is drawn at 720p
		path := h.path(t, kind+".mp4")
		out, err := h.clip(t, "--kind", kind, "--from", "3.3s", "--to", fmt.Sprint(to, "s"), "--title", "Two teas", "-o", path)
		if err != nil || !strings.Contains(out, "Two teas") || !strings.Contains(out, path) {
			t.Errorf("%s: %v\n%s", kind, err, out)
			continue
		}
		if length := lasts(t, path); length < to-3.35 || length > to-3.2 {
			t.Errorf("%s plays for %v s", kind, length)
		}
	}
}

func (h *clipHouse) testInstant(t *testing.T) {
	out, err := h.clip(t, "--kind", "instant", "--from", "1s", "--to", "3s")
	_, url, found := strings.Cut(out, h.base+"/c/clp_")
	if err != nil || !found {
		t.Fatalf("%v\n%s", err, out)
	}
	url, _, _ = strings.Cut(url, "\n")
	answer, err := http.Get(h.base + "/c/clp_" + url + "/index.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, err := io.ReadAll(answer.Body); err != nil || !strings.HasPrefix(string(b), "#EXTM3U") {
		t.Errorf("%s: %s, %v", answer.Status, b, err)
	}
}

func (h *clipHouse) testChapter(t *testing.T) {
	path := h.path(t, "tea.mp4")
	out, err := h.clip(t, "--chapter", h.pins[1].ID, "-o", path)
	if err != nil || !strings.Contains(out, "Tea 2") {
		t.Fatalf("%v\n%s", err, out)
	}
	if length := lasts(t, path); length < 2.95 || length > 3.1 {
		t.Errorf("it plays for %v s", length)
	}
	_, err = h.clip(t, "--chapter", "pin_0000000000000000")
	says(t, err, "no such chapter")
}

func (h *clipHouse) testAllProducts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "clips")
	out, err := h.clip(t, "--all-products", "-o", dir)
	if err != nil || !strings.Contains(out, "Tea 1") || !strings.Contains(out, "Tea 2") {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "making   0%") {
		t.Errorf("there is no bar in %q", out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if length := lasts(t, f); filepath.Ext(f) != ".mp4" || length < 2.95 || length > 3.1 {
			t.Errorf("%s plays for %v s", f, length)
		}
	}
	out, err = h.clip(t, "--all-products", "--kind", "instant")
	if err != nil || strings.Count(out, h.base+"/c/clp_") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

func (h *clipHouse) testList(t *testing.T) {
	out, err := h.clip(t, "--kind", "instant", "--from", "0s", "--to", "1500ms", "--title", "The first")
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(out[strings.Index(out, "clp_"):], " ")
	out, err = h.clip(t, "--list")
	if err != nil || !strings.Contains(out, id+"  instant  done ") || !strings.Contains(out, "1.5s  /c/"+id+"  The first\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What cannot be meant is refused with words that say what would do; nothing is made of it.
func (h *clipHouse) testIntervals(t *testing.T) {
	before, err := h.clip(t, "--list")
	if err != nil {
		t.Fatal(err)
	}
	for args, words := range map[string]string{
		"":                                      "say which part: --from and --to, --chapter, or --all-products",
		"--from 2s":                             "say which part",
		"--from 3s --to 2s":                     "--to (2s) must be after --from (3s)",
		"--from -1s --to 2s":                    "--from must be at least 0",
		"--from 2s --to 1m":                     "--to: it must be at most 16",
		"--from 1h --to 2h":                     "--from: it must be less than 16",
		"--from 1s --to 1050ms":                 "--to: the clip must be at least 100 ms long",
		"--from 1s --to 2s --chapter pin_1":     "say one of these",
		"--all-products --to 2s":                "say one of these",
		"--all-products --title x":              "leave out --title",
		"--merge --to 2s":                       "--merge is for --all-products",
		"--list --to 2s":                        "--list makes no clip",
		"--to 2s --kind gif":                    "--kind takes instant, copy, exact or styled",
		"--to 2s --kind instant -o x.mp4":       "an instant clip has no file",
		"--to 2s --title " + longTitle:          "--title: ",
		"--recording x --to 2s":                 "leave out its id",
		"--to 2s --server live.example.com":     "--server takes one as https://live.example.com",
		"--to 2s --server ftp://live.example":   "--server takes one as https://live.example.com",
		"--to 2s --server https://live.example": "wants a token: give one with --token or $VITRINE_TOKEN",
	} {
		_, err := h.clip(t, strings.Fields(args)...)
		if says(t, err, words); t.Failed() {
			t.Fatalf("of %q", args)
		}
	}
	if after, err := h.clip(t, "--list"); err != nil || after != before {
		t.Errorf("%v, something was made:\n%s", err, after)
	}
	_, err = h.command(t.Context(), []string{"--to", "2s"}, h.env...)
	says(t, err, "name the show by its id", "--recording")
	_, err = h.command(t.Context(), []string{"show_0000000000000000", "--server", h.base, "--to", "2s", "-o", h.path(t, "x.mp4")}, h.env...)
	says(t, err, "show")
	_, err = h.command(t.Context(), []string{"show_0000000000000000", "--server", h.base, "--list"}, h.env...)
	says(t, err, "show")
}

var longTitle = strings.Repeat("x", 121)

// A token may be missing, wrong, at its end, or not for this.
func (h *clipHouse) testTokens(t *testing.T) {
	db, err := sqldb.Open(t.Context(), filepath.Join(h.dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	token := func(at time.Time, scopes ...account.Permission) string {
		people := account.NewPeople(account.Config{}, db, func() time.Time { return at })
		_, secret, err := people.CreateToken(t.Context(), account.Principal{ID: "admin", Admin: true, StoreID: account.DefaultStore}, "clips", scopes, at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	now := time.Now()
	good := token(now, account.ReplayWrite, account.RoomsRead)
	for name, tc := range map[string]struct{ token, words string }{
		"wrong":    {"vat_wrong", "give another token with --token or $VITRINE_TOKEN"},
		"unknown":  {"vt_wrong", "it was revoked, or its time is over; give another token"},
		"expired":  {token(now.Add(-2*time.Hour), account.ReplayWrite, account.RoomsRead), "its time is over; give another token"},
		"to read":  {token(now, account.RoomsRead), "the token needs the scopes replay:write and rooms:read"},
		"for this": {good, ""},
	} {
		_, err := h.clip(t, "--kind", "instant", "--to", "1s", "--token", tc.token)
		if tc.words == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if tc.words != "" {
			says(t, err, tc.words)
		}
	}
	ask := []string{h.show, "--server", h.base, "--kind", "instant", "--to", "1s"}
	if _, err := h.command(t.Context(), ask, "VITRINE_TOKEN="+good); err != nil {
		t.Errorf("with a token of the environment: %v", err)
	}
	_, err = h.command(t.Context(), ask, "VITRINE_DATA="+t.TempDir())
	says(t, err, "there is no token in", "--data", "--token or $VITRINE_TOKEN")
}

func (h *clipHouse) testTargets(t *testing.T) {
	path := h.path(t, "tea.mp4")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := h.clip(t, "--to", "2s", "-o", path)
	says(t, err, "is there already", "--force")
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file is %q, %v", b, err)
	}
	if _, err := h.clip(t, "--to", "2s", "-o", path, "--force"); err != nil {
		t.Error(err)
	} else if length := lasts(t, path); length < 1.95 || length > 2.1 {
		t.Errorf("it plays for %v s", length)
	}
	_, err = h.clip(t, "--to", "2s", "-o", filepath.Join(path, "tea.mp4"))
	says(t, err, "there is no folder", "-o")
	_, err = h.clip(t, "--to", "2s", "-o", h.path(t, "none/tea.mp4"))
	says(t, err, "there is no folder", "make it first")
	_, err = h.clip(t, "--all-products", "-o", filepath.Join(path, "clips"))
	says(t, err, "cannot be made", "-o")
	_, err = h.clip(t, "--to", "2s", "-o", "/proc/tea.mp4")
	says(t, err, "nothing can be written in /proc", "-o")
	dir := t.TempDir()
	if _, err := h.clip(t, "--to", "2s", "-o", dir); err != nil {
		t.Error(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "clp_*.mp4")); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

func (h *clipHouse) testFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small tmpfs cannot be mounted, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "tea.mp4")
	_, err := h.clip(t, "--to", "16s", "-o", path)
	says(t, err, "is full: make room", "the clip is made and stays on the server: "+h.base+"/c/clp_")
	_, err = h.command(t.Context(), []string{"--recording", h.folder(), "--to", "16s", "-o", path}, h.env...)
	says(t, err, "the disk is full", "free some space")
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// Whoever stops waiting gets what waits cancelled, and is told so.
func (h *clipHouse) testInterrupted(t *testing.T) {
	if err := os.WriteFile(h.hangs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(h.hangs)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	dir := t.TempDir()
	err := run(ctx, []string{"clip", h.show, "--server", h.base, "--kind", "exact", "--all-products", "-o", dir}, h.env, io.Discard, onWrite(interrupt))
	says(t, err, "stopped: what was not made is cancelled")
	out, err := h.clip(t, "--list")
	if err != nil || strings.Count(out, "  exact    cancelled") != 2 || strings.Contains(out, "queued") || strings.Contains(out, "running") {
		t.Errorf("%v\n%s", err, out)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// onWrite is called at each write.
type onWrite func()

func (f onWrite) Write(p []byte) (int, error) { f(); return len(p), nil }

// What answers may be no server, or one that has no time.
func TestClipCommandWithoutAnswer(t *testing.T) {
	h := &clipHouse{show: "show_0123456789abcdef", env: []string{"VITRINE_TOKEN=vt_x"}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.base = "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = h.clip(t, "--list")
	says(t, err, "the server does not answer at "+h.base, "is it running? --server names another")
	for words, answer := range map[string]http.HandlerFunc{
		"503 Service Unavailable; try again in a moment": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the server is starting", http.StatusServiceUnavailable)
		},
		"is no vitrine": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"slow down; --from: it is late; and early": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			_, _ = io.WriteString(w, severalWrong)
		},
	} {
		s := httptest.NewServer(answer)
		h.base = s.URL
		_, err := h.clip(t, "--list")
		says(t, err, words)
		s.Close()
	}
}

const severalWrong = `{"detail": "slow down", "errors": [{"location": "body.from_ms", "message": "it is late"}, {"message": "and early"}]}`

func (h *clipHouse) folder() string { return filepath.Join(h.dir, "recordings", h.show) }

// sidecarOf reads what lies beside the file of a clip.
func sidecarOf(t *testing.T, path string) (doc struct {
	Kind, Title, Show, Room, State string
	From                           int64   `json:"from_ms"`
	HLS                            *string `json:"hls"`
	MP4                            *string `json:"mp4"`
	Events, Chapters, Epochs       []map[string]any
},
) {
	t.Helper()
	b, err := os.ReadFile(strings.TrimSuffix(path, ".mp4") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// The folder of a show alone gives its media; with the database, which a server works with, it gives all that is known.
func (h *clipHouse) testFolder(t *testing.T) {
	for _, kind := range []string{"copy", "exact"} {
		path := h.path(t, "tea.mp4")
		out, err := h.command(t.Context(), []string{"--recording", h.folder() + "/", "--from", "3.3s", "--to", "5.3s", "--kind", kind, "-o", path}, h.env...)
		if err != nil || !strings.Contains(out, path) {
			t.Fatalf("%s: %v\n%s", kind, err, out)
		}
		if length := lasts(t, path); length < 1.95 || length > 2.1 {
			t.Errorf("%s plays for %v s", kind, length)
		}
		doc := sidecarOf(t, path)
		if doc.Kind != kind || doc.Show != h.show || doc.State != "done" || doc.From != 3300 || len(doc.Epochs) != 1 || len(doc.Events)+len(doc.Chapters) != 0 ||
			doc.HLS != nil || doc.MP4 == nil || *doc.MP4 != "tea.mp4" {
			t.Errorf("%+v", doc)
		}
	}
	path := h.path(t, "tea.mp4")
	out, err := h.command(t.Context(), []string{"--recording", h.folder(), "--data", h.dir, "--chapter", h.pins[0].ID, "-o", path}, h.env...)
	if err != nil || !strings.Contains(out, "Tea 1") {
		t.Fatalf("%v\n%s", err, out)
	}
	doc := sidecarOf(t, path)
	if doc.Title != "Tea 1" || doc.Room == "" || len(doc.Chapters) != 1 || len(doc.Events) != 1 || doc.Events[0]["type"] != "pin" {
		t.Errorf("%+v", doc)
	}
}

func (h *clipHouse) testFolderRefuses(t *testing.T) {
	other := t.TempDir()
	in := "--recording " + h.folder() + " "
	for args, words := range map[string]string{
		in + "--to 2s --kind instant":                              "an instant clip is a page of the server",
		in + "--to 2s --kind styled":                               "a styled clip is drawn by the server",
		in + "--all-products":                                      "clips of all products are made by the server",
		in + "--list":                                              "known to its server alone",
		in + "--chapter pin_1":                                     "name the server's data folder with --data",
		in + "--chapter pin_1 --data " + h.dir:                     "no such chapter",
		in + "--to 2s --server http://localhost":                   "--recording works without a server",
		in + "--to 2s --data " + other:                             "there is no database",
		in + "--to 1m -o " + other:                                 "--to: it must be at most 16",
		"--to 2s --recording " + other:                             "--recording takes the folder of one show",
		"--to 2s --recording " + filepath.Join(other, "none"):      "--recording takes the folder of one show",
		in + "--to 2s -o " + filepath.Join(other, "none", "t.mp4"): "there is no folder",
	} {
		_, err := h.command(t.Context(), strings.Fields(args), h.env...)
		if says(t, err, words); t.Failed() {
			t.Fatalf("of %q", args)
		}
	}
	if left, err := filepath.Glob(filepath.Join(other, "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	taken := filepath.Join(other, "tea.json")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := h.command(t.Context(), strings.Fields(in+"--to 2s -o "+filepath.Join(other, "tea.mp4")), h.env...)
	says(t, err, "tea.json is there already")
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err = h.command(ctx, strings.Fields(in+"--to 2s -o "+h.path(t, "t.mp4")), h.env...)
	says(t, err, "stopped: nothing was made")
	_, err = h.command(t.Context(), strings.Fields(in+"--to 2s --data "+h.dir), append(h.env, "VITRINE_DATABASE_URL=postgres://localhost/none")...)
	says(t, err, "PostgreSQL", "leave out --data")
}
