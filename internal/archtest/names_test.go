package archtest

import (
	"slices"
	"strings"
	"testing"
)

func TestPackageComments(t *testing.T) {
	for _, p := range load(t).ours {
		if len(p.GoFiles) == 0 {
			continue // tests alone
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
			if strings.HasPrefix(p.Doc, "Vitrine ") {
				continue
			}
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment must begin with %q, is %q", p.rel, want, p.Doc)
		}
	}
}

// Names that say nothing of what a package provides; whatever lands there has a better home.
var emptyNames = []string{"base", "common", "helper", "helpers", "misc", "model", "models", "shared", "types", "util", "utils"}

func TestPackageNames(t *testing.T) {
	for _, p := range load(t).ours {
		for part := range strings.SplitSeq(p.rel, "/") {
			if slices.Contains(emptyNames, part) {
				t.Errorf("%s: %q says nothing; name the package for what it provides", p.rel, part)
			}
		}
		last := p.rel[strings.LastIndex(p.rel, "/")+1:]
		if p.Name != "main" && p.Name != last {
			t.Errorf("%s is named %s; folder and name must agree", p.rel, p.Name)
		}
	}
}
