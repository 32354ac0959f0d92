// Package audience is what viewers say and like during a show: comments with their moderation, and likes. Both are kept in
// the store, stand on the show's timeline and reach the others by the realtime channel.
package audience
