package live

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Severity says how much a warning matters.
type Severity string

// The severities, the gravest first.
const (
	Critical Severity = "critical" // viewers see or hear that something is wrong
	Serious  Severity = "warning"  // some viewers will, or soon
	Hint     Severity = "info"     // it could be better
)

var gravity = map[Severity]int{Critical: 0, Serious: 1, Hint: 2}

// Warning is something about a publisher that the anchor should know, with what to do about it. Its code and severity
// are part of the public interface; its words are made for a language by Message and Remedy.
type Warning struct {
	Code     string
	Severity Severity
	Since    time.Time

	tool   tool
	values values
}

// values fill the gaps in a warning's words, by name.
type values map[string]string

// settle is how long what is wrong must be well again before its warning goes: warnings that come and go teach
// nobody anything.
const settle = 10 * time.Second

// watch keeps the warnings of one publisher from flapping: one comes when its rule has held for the rule's while, and goes
// when it has not held, by the rule's laxer measure, for settle. It is guarded by session.mu; its zero value is ready.
type watch struct {
	standing map[string]*finding
	reviewed time.Time
}

// finding is a rule that holds, or held not long ago.
type finding struct {
	warning Warning
	shown   bool
	held    time.Time // newest review at which it held
}

// review looks at what is measured at now, and returns the warnings that have come and gone since the last time.
func (w *watch) review(now time.Time, st *Status) (came, gone []Warning) {
	if w.standing == nil {
		w.standing = map[string]*finding{}
	}
	w.reviewed = now
	t := toolOf(st.Publisher)
	for i := range rules {
		r := &rules[i]
		f := w.standing[r.code]
		v, holds := r.holds(st, st.Publisher, f != nil && f.shown)
		switch {
		case holds && f == nil:
			f = &finding{warning: Warning{Code: r.code, Severity: r.severity, Since: now}}
			w.standing[r.code] = f
			fallthrough
		case holds:
			f.held, f.warning.values, f.warning.tool = now, v, t
			if !f.shown && now.Sub(f.warning.Since) >= r.after {
				f.shown = true
				came = append(came, f.warning)
			}
		case f != nil && !f.shown:
			delete(w.standing, r.code)
		case f != nil && now.Sub(f.held) >= settle:
			delete(w.standing, r.code)
			gone = append(gone, f.warning)
		}
	}
	return came, gone
}

// warnings are those that stand, the gravest first, in the order of the rules.
func (w *watch) warnings() []Warning {
	var out []Warning
	for _, code := range slices.SortedFunc(maps.Keys(w.standing), byGravity) {
		if f := w.standing[code]; f.shown {
			out = append(out, f.warning)
		}
	}
	return out
}

func byGravity(a, b string) int {
	return cmp.Or(cmp.Compare(gravity[rules[ruleOrder[a]].severity], gravity[rules[ruleOrder[b]].severity]), cmp.Compare(ruleOrder[a], ruleOrder[b]))
}

// reviewEvery is how often a publisher's health is judged.
const reviewEvery = time.Second

// review judges the publisher's health, if there is one and it is time.
func (s *session) review(now time.Time) {
	s.mu.Lock()
	p := s.pub
	due := p != nil && now.Sub(p.watch.reviewed) >= reviewEvery
	s.mu.Unlock()
	if !due {
		return
	}
	st := s.facts(now)
	if st.Publisher == nil {
		return
	}
	s.mu.Lock()
	came, gone := p.watch.review(now, &st)
	s.mu.Unlock()
	for _, w := range came {
		s.rooms.Metrics.Warnings.WithLabelValues(w.Code).Inc()
		s.log.Info("the anchor is warned", "code", w.Code, "severity", string(w.Severity), "message", w.Message(English), "remedy", w.Remedy(English))
	}
	for _, w := range gone {
		s.log.Info("a warning is over", "code", w.Code, "stood", now.Sub(w.Since).Round(time.Second))
	}
}

// publisherGone warns while a show waits for its publisher.
func publisherGone(since time.Time, window time.Duration) Warning {
	return Warning{
		Code: codePublisherGone, Severity: Critical, Since: since, tool: anyTool,
		values: values{"clock": since.Add(window).UTC().Format("15:04:05"), "seconds": seconds(window)},
	}
}
