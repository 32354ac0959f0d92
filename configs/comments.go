package configs

// Comments configures what viewers may say and like.
type Comments struct {
	WordsFile string `yaml:"words_file"`
	PerViewer int    `yaml:"per_viewer"`
	PerShow   int    `yaml:"per_show"`
	Likes     int    `yaml:"likes"`
}

func defaultComments() Comments { return Comments{PerViewer: 5, PerShow: 20, Likes: 20} }

func (c Comments) validate(check func(bool, string, string, ...any)) {
	check(c.PerViewer >= 1 && c.PerViewer <= 10_000, "comments.per_viewer", "must be between 1 and 10000, got %d", c.PerViewer)
	check(c.PerShow >= 1 && c.PerShow <= 10_000, "comments.per_show", "must be between 1 and 10000, got %d", c.PerShow)
	check(c.Likes >= 1 && c.Likes <= 10_000, "comments.likes", "must be between 1 and 10000, got %d", c.Likes)
}
