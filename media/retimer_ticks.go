package media

// NextTicks is Next for a protocol that unwraps its own timestamps and has both tracks on one clock already, as RTP with
// sender reports: pts and dts are on that clock. A Retimer is used with Next or with NextTicks, not with both.
func (r *Retimer) NextTicks(kind Kind, dts, pts Ticks) Timing {
	t, other := r.tracks(kind)
	timing := r.place(t, other, dts, pts-dts, Timing{})
	if timing.Anomaly == AnomalyDTSNotRising && pts > dts {
		timing.PTS = max(timing.DTS, pts+t.shift) // the picture is shown when it was meant to be
	}
	return timing
}

// AtTicks maps an instant on the clock of NextTicks to publisher time, as the newest sample of the kind was. It changes
// nothing.
func (r *Retimer) AtTicks(kind Kind, t Ticks) Ticks {
	track, _ := r.tracks(kind)
	return t + track.shift
}
