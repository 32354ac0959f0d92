package live

import "context"

// Sweep lets tests do what Run does four times a second.
func (r *Rooms) Sweep(ctx context.Context) { r.sweep(ctx) }
