package configs

// Clips configures how clips of shows are made.
type Clips struct {
	Parallel int    `yaml:"parallel"`
	Threads  int    `yaml:"threads"`
	Queue    int    `yaml:"queue"`
	Font     string `yaml:"font"`
}

func defaultClips() Clips { return Clips{Queue: 200} }
