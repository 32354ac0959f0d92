package configs

// Clips configures how clips of shows are made.
type Clips struct {
	Parallel int     `yaml:"parallel"`
	Threads  int     `yaml:"threads"`
	Queue    int     `yaml:"queue"`
	MaxLoad  float64 `yaml:"max_load"`
	Font     string  `yaml:"font"`
}

func defaultClips() Clips { return Clips{Queue: 200} }
