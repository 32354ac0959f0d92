package archtest

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// row says what the packages that match may import of Vitrine's own packages, beside the leaf helpers of internal/ and
// the packages below themselves.
type row struct {
	match string   // a path below the module; a trailing /... matches the package and everything below it
	may   []string // likewise
	why   string
}

// imports is the table of docs/architecture.md. The first row that matches holds.
var imports = []row{
	{"cmd/...", []string{"..."}, "the command wires everything; it is the only place that sees all packages"},
	{"internal/e2e/...", []string{"internal/..."}, "end-to-end tests drive the binary from outside, as its users do"},
	{"internal/certs", []string{"internal/errs", "internal/atomicfile"}, "an operator is told what to mend"},
	{"internal/ratelimit/ratelimittest", []string{"internal/ratelimit"}, "the suite that its implementations run"},
	{"internal/netguard", []string{"internal/errs"}, "who named the address is told why it is not read"},
	{"internal/ffmpeg", []string{"internal/errs"}, "an operator is told that it is missing, and why it failed"},
	{"internal/cursor", []string{"internal/errs"}, "who sent it is told that it is none"},
	{"internal/...", nil, "leaf helpers, each named for what it provides"},
	{"media", nil, "a leaf that every part of the media path speaks"},
	{"media/mediatest", []string{"media"}, "samples of a publisher, for tests of the media path"},
	{"commerce", nil, "selling knows neither media nor transport"},
	{"commerce/...", []string{"commerce/..."}, "the parts of the shop share its words"},
	{"providers/...", []string{"commerce/...", "providers/..."}, "those outside who move money and messages, behind the shop's own interfaces"},
	{"ingest/...", []string{"media"}, "protocols never know each other, nor what becomes of the samples"},
	{"transcode/...", []string{"media"}, "it turns samples into samples"},
	{"hls/playlist", []string{"media"}, "pure text, for live and replay alike"},
	{"hls/ts", []string{"media"}, "pure bytes, for live and replay alike"},
	{"hls/...", []string{"media", "hls/..."}, "delivery reads old segments back through an interface of its own"},
	{"overlay/audience", []string{"overlay", "media", "commerce", "commerce/account"}, "what viewers say and like stands on the timeline"},
	{"overlay/...", []string{"media", "commerce", "commerce/account"}, "the timeline carries snapshots of products at media times"},
	{"replay/...", []string{"media", "hls/playlist", "hls/ts", "overlay", "replay/..."}, "the recording is the packaged media plus the timeline; what is made of it stands beside it"},
	{"live/...", []string{"media", "commerce/...", "transcode/...", "hls/...", "overlay/...", "replay/..."}, "a room at run time wires the media path and its timeline"},
	{"store", nil, "the words that adapters share and that belong to no domain: values alone"},
	{"store/...", []string{"store", "store/...", "media", "commerce/...", "overlay/...", "live", "replay/...", "providers/sandbox"}, "adapters see the domains whose interfaces they implement"},
	{"api/...", []string{"media", "commerce/...", "overlay/...", "live/...", "replay/...", "hls/...", "web", "store", "store/blob"}, "transport over the domains; nothing imports it"},
	{"web/...", nil, "the built pages, embedded"},
	{"configs", []string{"media", "commerce/...", "ingest/...", "transcode/...", "hls/...", "overlay/...", "live/...", "replay/...", "store/...", "providers/...", "api/..."}, "one file of every package's Config"},
}

// never are packages, of anybody's, that may not be reached even through others.
var never = []struct {
	match  string
	banned []string
	why    string
}{
	{"commerce/...", []string{"net/http", "database/sql", "media"}, "stock and money rules run under any transport and any store"},
	{"media", []string{"net/http", "database/sql", "os/exec"}, "media types are values"},
	{"hls/playlist", []string{"net/http", "database/sql"}, "rendering is pure"},
	{"hls/ts", []string{"net/http", "database/sql"}, "remuxing is pure"},
	{"hls/...", []string{"database/sql", "github.com/yutopp/go-rtmp"}, "delivery knows no store and no protocol of ingest"},
	{"ingest/...", []string{"database/sql"}, "whether a key is right is asked of a gate"},
	{"overlay/...", []string{"database/sql"}, "the timeline's store is behind its own interface"},
	{"store", []string{"database/sql", "net/http", "media"}, "words without an engine"},
	{"live/...", []string{"database/sql", "github.com/yutopp/go-rtmp"}, "rooms know neither the store's engine nor the wire"},
}

func TestImports(t *testing.T) {
	pkgs := load(t)
	used := map[string]bool{}
	for _, p := range pkgs.ours {
		r, ok := rowFor(p.rel)
		if !ok {
			t.Errorf("%s stands in no row of the import table: decide what it may import, and why", p.rel)
			continue
		}
		used[r.match] = true
		for _, imp := range p.Imports {
			rel, ours := strings.CutPrefix(imp, pkgs.module+"/")
			if ours && !allowed(r, p.rel, rel) {
				t.Errorf("%s imports %s, which its row does not allow: %s", p.rel, rel, r.why)
			}
		}
	}
}

func TestNeverReached(t *testing.T) {
	pkgs := load(t)
	for _, p := range pkgs.ours {
		for _, n := range never {
			if !matches(n.match, p.rel) {
				continue
			}
			for _, b := range n.banned {
				if _, err := pkgs.byPath[pkgs.module+"/"+b]; err {
					b = pkgs.module + "/" + b
				}
				if slices.Contains(p.Deps, b) {
					t.Errorf("%s reaches %s: %s", p.rel, b, n.why)
				}
			}
		}
	}
}

// What is imported by nobody but the command: the surfaces, and the loader of the configuration.
func TestTopOfTheHouse(t *testing.T) {
	pkgs := load(t)
	for _, p := range pkgs.ours {
		if matches("cmd/...", p.rel) {
			continue
		}
		for _, imp := range p.Imports {
			rel, ours := strings.CutPrefix(imp, pkgs.module+"/")
			if ours && (rel == "configs" || matches("cmd/...", rel) || matches("api/...", rel) && p.rel != "configs" && !matches("api/...", p.rel)) {
				t.Errorf("%s imports %s, which only the command may", p.rel, rel)
			}
		}
	}
}

func rowFor(rel string) (row, bool) {
	for _, r := range imports {
		if matches(r.match, rel) {
			return r, true
		}
	}
	return row{}, false
}

func allowed(r row, from, to string) bool {
	if strings.HasPrefix(to, "internal/") && !matches("internal/e2e/...", to) && (from == to || !strings.HasPrefix(from, "internal/")) {
		return true
	}
	if strings.HasPrefix(to, from+"/") { // a package may see what stands below it
		return true
	}
	return slices.ContainsFunc(r.may, func(m string) bool { return matches(m, to) })
}

func matches(pattern, rel string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return rel == base || strings.HasPrefix(rel, base+"/")
	}
	return path.Clean(pattern) == rel
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, rel string
		want         bool
	}{
		{"media", "media", true},
		{"media", "media/x", false},
		{"hls/...", "hls", true},
		{"hls/...", "hls/ts", true},
		{"hls/...", "hlsx", false},
		{"...", "anything", true},
	} {
		if got := matches(c.pattern, c.rel); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.rel, got)
		}
	}
}
