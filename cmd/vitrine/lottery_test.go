package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/lottery"
)

// drawnProof is the proof of a lottery with so many entrants and two prizes, of 1 and 4.
func drawnProof(entrants int) lottery.Proof {
	seed := bytes.Repeat([]byte{7}, 32)
	p := lottery.Proof{
		Recipe: lottery.Recipe, Lottery: "lot_0000000000000001", Title: "抽奖", State: lottery.Drawn,
		Prizes:     []lottery.Prize{{Name: "茶壶", Count: 1}, {Name: "Cup", Count: 4}},
		Commitment: lottery.Commitment(seed), Seed: hex.EncodeToString(seed), Entries: entrants,
	}
	for i := range entrants {
		p.Entrants = append(p.Entrants, lottery.Secret{Pseudonyms: seed}.Entrant(fmt.Sprint("visitor:", i)))
	}
	slices.Sort(p.Entrants)
	p.EntrantsHash = lottery.EntrantsHash(p.Lottery, p.Entrants)
	redraw(&p)
	return p
}

// redraw names the winners that follow from the proof as it is.
func redraw(p *lottery.Proof) {
	seed, _ := hex.DecodeString(p.Seed)
	p.Winners = nil
	for i, e := range lottery.Rank(seed, p.Lottery, p.EntrantsHash, p.Entrants, 5) {
		p.Winners = append(p.Winners, lottery.ProofWinner{Rank: i + 1, Entrant: e, Prize: p.Prizes[min(i, 1)].Name})
	}
}

// TestLotteryVerify lets the command and the script, which shares no line with it, judge the same proofs: honest ones, and
// those that somebody changed, also with everything else made to fit.
func TestLotteryVerify(t *testing.T) { //nolint:funlen // one table: what can be changed, and what is said of it
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the script needs node, which `make test` installs")
	}
	honest := drawnProof(40)
	noted := []string{"--commitment", honest.Commitment, "--entrants-hash", honest.EntrantsHash}
	late := lottery.Secret{Pseudonyms: []byte("x")}.Entrant("late")
	withLate := func(p *lottery.Proof) {
		p.Entrants = append(p.Entrants, late)
		slices.Sort(p.Entrants)
		p.Entries++
	}
	otherSeed := hex.EncodeToString(bytes.Repeat([]byte{8}, 32))
	for _, c := range []struct {
		name   string
		change func(*lottery.Proof)
		want   string // of what the command says; empty: nothing is wrong
		noted  bool   // needs what was noted to be found out
	}{
		{name: "honest", change: func(*lottery.Proof) {}},
		{name: "honest, compared", change: func(*lottery.Proof) {}, noted: true},
		{name: "few entrants", change: func(p *lottery.Proof) { *p = drawnProof(3) }},
		{name: "no entrants", change: func(p *lottery.Proof) { *p = drawnProof(0) }},
		{name: "an entrant exchanged", change: func(p *lottery.Proof) { p.Entrants[9] = late; slices.Sort(p.Entrants) }, want: "not those that were published"},
		{name: "an entrant left out", change: func(p *lottery.Proof) { p.Entrants = p.Entrants[1:]; p.Entries-- }, want: "not those that were published"},
		{name: "late entry", change: withLate, want: "not those that were published"},
		{name: "late entry that wins", change: func(p *lottery.Proof) { withLate(p); p.Winners[0].Entrant = late }, want: "by the recipe it is"},
		{name: "late entry, all made to fit", change: func(p *lottery.Proof) {
			withLate(p)
			p.EntrantsHash = lottery.EntrantsHash(p.Lottery, p.Entrants)
			redraw(p)
		}, want: "when it was noted", noted: true},
		{name: "entrants reordered", change: func(p *lottery.Proof) { p.Entrants[0], p.Entrants[1] = p.Entrants[1], p.Entrants[0] }, want: "ascending order"},
		{name: "reordered, hashed anew", change: func(p *lottery.Proof) {
			slices.Reverse(p.Entrants)
			p.EntrantsHash = lottery.EntrantsHash(p.Lottery, p.Entrants)
			redraw(p)
		}, want: "ascending order"},
		{name: "entrant twice", change: func(p *lottery.Proof) {
			p.Entrants = slices.Insert(p.Entrants, 1, p.Entrants[0])
			p.Entries++
			p.EntrantsHash = lottery.EntrantsHash(p.Lottery, p.Entrants)
			redraw(p)
		}, want: "listed twice"},
		{name: "seed exchanged", change: func(p *lottery.Proof) { p.Seed = otherSeed; redraw(p) }, want: "not the one that was committed to"},
		{name: "seed and commitment exchanged", change: func(p *lottery.Proof) {
			p.Seed, p.Commitment = otherSeed, lottery.Commitment(bytes.Repeat([]byte{8}, 32))
			redraw(p)
		}, want: "when it was noted", noted: true},
		{name: "commitment exchanged", change: func(p *lottery.Proof) { p.Commitment = strings.Repeat("0", 64) }, want: "not the one that was committed to"},
		{name: "seed written otherwise", change: func(p *lottery.Proof) { p.Seed += "00" }, want: "not 32 bytes"},
		{name: "winner exchanged", change: func(p *lottery.Proof) { p.Winners[0].Entrant = p.Entrants[0] }, want: "by the recipe it is"},
		{name: "winner from outside", change: func(p *lottery.Proof) { p.Winners[2].Entrant = late }, want: "not among the entrants"},
		{name: "winners swapped", change: func(p *lottery.Proof) {
			p.Winners[0].Entrant, p.Winners[1].Entrant = p.Winners[1].Entrant, p.Winners[0].Entrant
		}, want: "by the recipe it is"},
		{name: "winner left out", change: func(p *lottery.Proof) { p.Winners = p.Winners[:4] }, want: "4 winners are named"},
		{name: "one winner more", change: func(p *lottery.Proof) {
			p.Winners = append(p.Winners, lottery.ProofWinner{Rank: 6, Entrant: p.Entrants[0], Prize: "Cup"})
		}, want: "6 winners are named"},
		{name: "prize exchanged", change: func(p *lottery.Proof) { p.Winners[1].Prize = "茶壶" }, want: "not the prize of this rank"},
		{name: "entries miscounted", change: func(p *lottery.Proof) { p.Entries = 39 }, want: "39 entries were counted"},
		{name: "of another lottery", change: func(p *lottery.Proof) { p.Lottery = "lot_0000000000000002" }, want: "not those that were published"},
		{name: "not drawn", change: func(p *lottery.Proof) { p.State = lottery.Closed }, want: "once it is drawn"},
		{name: "another recipe", change: func(p *lottery.Proof) { p.Recipe = "vitrine-lottery-2" }, want: "the recipe is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := drawnProof(40)
			c.change(&p)
			args := []string{writeJSON(t, p)}
			if c.noted {
				if c.want != "" {
					if said, ok := verify(t, args...); !ok {
						t.Errorf("it fits in itself; what was noted shows it: %s", said)
					}
				}
				args = append(args, noted...)
			}
			said, ok := verify(t, args...)
			if ok != (c.want == "") || !strings.Contains(said, c.want) {
				t.Errorf("the command says %t: %s", ok, said)
			}
			out, err := exec.Command(node, append([]string{"../../docs/lottery_verify.mjs"}, args...)...).CombinedOutput()
			if (err == nil) != ok {
				t.Errorf("the script says otherwise: %v: %s", err, out)
			}
		})
	}
}

// verify runs the command.
func verify(t *testing.T, args ...string) (said string, ok bool) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"lottery", "verify"}, args...), nil, &out, &out)
	return out.String(), err == nil
}

func writeJSON(t *testing.T, v any) string {
	t.Helper()
	doc, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLotteryVerifyWithTheTimeline(t *testing.T) {
	p := drawnProof(10)
	event := func(state lottery.State, change func(*lottery.View)) map[string]any {
		v := lottery.View{ID: p.Lottery, State: state, Commitment: p.Commitment}
		if state != lottery.Open {
			v.EntrantsHash = p.EntrantsHash
		}
		if state == lottery.Drawn {
			v.Seed = p.Seed
		}
		if change != nil {
			change(&v)
		}
		return map[string]any{"type": "lottery", "data": map[string]any{"id": p.Lottery, "state": state, "offer": v}}
	}
	open, closed, drawn := event(lottery.Open, nil), event(lottery.Closed, nil), event(lottery.Drawn, nil)
	other := map[string]any{"type": "comment", "data": map[string]any{"id": p.Lottery}}
	for name, c := range map[string]struct {
		events []map[string]any
		want   string
	}{
		"honest":             {[]map[string]any{other, open, closed, other, drawn}, ""},
		"told twice":         {[]map[string]any{open, open, closed, closed, drawn}, ""},
		"another commitment": {[]map[string]any{event(lottery.Open, func(v *lottery.View) { v.Commitment = "00" }), closed, drawn}, "told the commitment 00"},
		"another hash":       {[]map[string]any{open, event(lottery.Closed, func(v *lottery.View) { v.EntrantsHash = "00" }), drawn}, "entrants' hash 00"},
		"seed first":         {[]map[string]any{open, drawn, closed}, "before the hash"},
		"seed too early":     {[]map[string]any{open, event(lottery.Closed, func(v *lottery.View) { v.Seed = p.Seed }), drawn}, "told the seed when"},
		"never opened":       {[]map[string]any{closed, drawn}, "does not begin with the opening"},
		"nothing":            {nil, "does not begin with the opening"},
	} {
		said, ok := verify(t, writeJSON(t, p), "--timeline", writeJSON(t, map[string]any{"events": c.events}))
		if ok != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func TestLotteryVerifyFindsYou(t *testing.T) {
	p := drawnProof(10)
	path := writeJSON(t, p)
	if said, ok := verify(t, path, "--entrant", p.Winners[0].Entrant); !ok || !strings.Contains(said, "<- you") {
		t.Error(said)
	}
	if said, ok := verify(t, path, "--entrant", "ent_me"); ok || !strings.Contains(said, "ent_me is not among the entrants") {
		t.Error(said)
	}
	if _, ok := verify(t, filepath.Join(t.TempDir(), "none")); ok {
		t.Error("a file that is not there")
	}
	if said, ok := verify(t, writeJSON(t, "no proof")); ok {
		t.Error(said)
	}
}
