package configs

// Clips configures how clips of shows are made.
type Clips struct {
	Parallel int     `yaml:"parallel"`
	Threads  int     `yaml:"threads"`
	Queue    int     `yaml:"queue"`
	MaxLoad  float64 `yaml:"max_load"`
}

func defaultClips() Clips { return Clips{Queue: 200} }
