package api

// Page is one page of a list. Next, when given, is the value of "after" for the page that follows.
type Page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next,omitempty" doc:"The value of after for the next page; absent on the last one."`
}

// PageInput asks for a page of a list.
type PageInput struct {
	After string `query:"after" doc:"Where the page begins: next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (p PageInput) limit() int {
	if p.Limit == 0 {
		return 50
	}
	return p.Limit
}

func page[D, T any](items []D, limit int, render func(D) T, cursor func(D) string) *Body[Page[T]] {
	p := Page[T]{Items: make([]T, len(items))}
	for i := range items {
		p.Items[i] = render(items[i])
	}
	if len(items) == limit && limit > 0 {
		next := cursor(items[len(items)-1])
		p.Next = &next
	}
	return &Body[Page[T]]{p}
}
