package media

// Span is a stretch of show time: from From up to, but without, To.
type Span struct{ From, To Ticks }

// Len is how long the span is, 0 when it is empty.
func (s Span) Len() Ticks { return max(0, s.To-s.From) }

// Empty reports whether no instant lies in the span.
func (s Span) Empty() bool { return s.To <= s.From }

// Contains reports whether t lies in the span.
func (s Span) Contains(t Ticks) bool { return s.From <= t && t < s.To }

// Overlaps reports whether the spans share an instant.
func (s Span) Overlaps(o Span) bool { return !s.Intersect(o).Empty() }

// Intersect is what the spans share; it may be empty.
func (s Span) Intersect(o Span) Span { return Span{max(s.From, o.From), min(s.To, o.To)} }
