// Package configs holds Vitrine's configuration: its defaults, the strict reading of a YAML file, the overrides of the
// environment, and the checks that need no other part. Only the command imports it; every package owns the Config of
// its own that the command fills from here.
package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/goccy/go-yaml"
)

// Config is the whole configuration. The fields are documented in vitrine.yaml.
type Config struct {
	Data            string    `yaml:"data"`
	Database        Database  `yaml:"database"`
	Redis           Redis     `yaml:"redis"`
	HTTP            HTTP      `yaml:"http"`
	TLS             TLS       `yaml:"tls"`
	RTMP            RTMP      `yaml:"rtmp"`
	WebRTC          WebRTC    `yaml:"webrtc"`
	Pull            Pull      `yaml:"pull"`
	Transcode       Transcode `yaml:"transcode"`
	Live            Live      `yaml:"live"`
	HLS             HLS       `yaml:"hls"`
	Recording       Recording `yaml:"recording"`
	Clips           Clips     `yaml:"clips"`
	Archive         Archive   `yaml:"archive"`
	Channel         Channel   `yaml:"channel"`
	Staff           Staff     `yaml:"staff"`
	Catalogue       Catalogue `yaml:"catalogue"`
	WeChat          WeChat    `yaml:"wechat"`
	Webhooks        Webhooks  `yaml:"webhooks"`
	Reminders       Reminders `yaml:"reminders"`
	Comments        Comments  `yaml:"comments"`
	Funnel          Funnel    `yaml:"funnel"`
	Orders          Orders    `yaml:"orders"`
	Payment         Payment   `yaml:"payment"`
	Log             Log       `yaml:"log"`
	ShutdownTimeout Duration  `yaml:"shutdown_timeout"`
}

// Database says where durable data is kept.
type Database struct {
	URL SecretURL `yaml:"url"`
}

// Redis says what several servers share.
type Redis struct {
	URL      SecretURL `yaml:"url"`
	Addrs    []string  `yaml:"addrs"`
	Master   string    `yaml:"master"`
	Username string    `yaml:"username"`
	Password Secret    `yaml:"password"`
	TLS      bool      `yaml:"tls"`
	Prefix   string    `yaml:"prefix"`
}

// HTTP configures the web server.
type HTTP struct {
	Addr           string   `yaml:"addr"`
	PublicURL      string   `yaml:"public_url"`
	PublicMetrics  bool     `yaml:"public_metrics"`
	TrustedProxies []Prefix `yaml:"trusted_proxies"`
}

// RTMP configures the RTMP listener.
type RTMP struct {
	Addr                     string   `yaml:"addr"`
	MaxConnections           int      `yaml:"max_connections"`
	MaxConnectionsPerAddress int      `yaml:"max_connections_per_address"`
	MaxWrongKeys             int      `yaml:"max_wrong_keys"`
	IdleTimeout              Duration `yaml:"idle_timeout"`
}

// WebRTC configures publishing by WHIP.
type WebRTC struct {
	Enabled               bool        `yaml:"enabled"`
	Addr                  string      `yaml:"addr"`
	TCP                   bool        `yaml:"tcp"`
	Public                []string    `yaml:"public"`
	ICEServers            []ICEServer `yaml:"ice_servers"`
	Loopback              bool        `yaml:"loopback"`
	HoldStart             Duration    `yaml:"hold_start"`
	MaxSessions           int         `yaml:"max_sessions"`
	MaxSessionsPerAddress int         `yaml:"max_sessions_per_address"`
	MaxWrongKeys          int         `yaml:"max_wrong_keys"`
}

// Pull configures rooms that take their picture from an HLS address, and imports.
type Pull struct {
	AllowPrivate bool `yaml:"allow_private"`
}

// Transcode configures ffmpeg.
type Transcode struct {
	FFmpeg  string  `yaml:"ffmpeg"`
	Encoder string  `yaml:"encoder"`
	MaxCost float64 `yaml:"max_cost"`
}

// Live configures rooms.
type Live struct {
	ReconnectWindow         Duration `yaml:"reconnect_window"`
	Linger                  Duration `yaml:"linger"`
	MaxPublishers           int      `yaml:"max_publishers"`
	MaxPublishersPerStore   int      `yaml:"max_publishers_per_store"`
	MaxPublishersPerAddress int      `yaml:"max_publishers_per_address"`
}

// HLS configures packaging and delivery.
type HLS struct {
	Part       Duration `yaml:"part"`
	Segment    Duration `yaml:"segment"`
	Window     int      `yaml:"window"`
	MaxWaiters int      `yaml:"max_waiters"`
}

// Recording configures the recorder.
type Recording struct {
	Enabled bool `yaml:"enabled"`
	Reserve Size `yaml:"reserve"`
	Queue   Size `yaml:"queue"`
}

// Channel configures the realtime channel.
type Channel struct {
	MaxConnections           int `yaml:"max_connections"`
	MaxConnectionsPerAddress int `yaml:"max_connections_per_address"`
}

// Webhooks configure what is sent to merchants' servers.
type Webhooks struct {
	AllowPrivate bool     `yaml:"allow_private"`
	AllowHTTP    bool     `yaml:"allow_http"`
	DisableAfter Duration `yaml:"disable_after"`
	Retention    Duration `yaml:"retention"`
}

// Staff configures how staff sign in.
type Staff struct {
	Session    Duration `yaml:"session"`
	SessionMax Duration `yaml:"session_max"`
	Invitation Duration `yaml:"invitation"`
}

// WeChat names the operator's mini-program.
type WeChat struct {
	AppID   string `yaml:"app_id"`
	Secret  Secret `yaml:"secret"`
	BaseURL string `yaml:"base_url"`
}

// Log configures the log.
type Log struct {
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// Default returns the configuration of a server without a file.
func Default() Config {
	return Config{
		Data:  "./data",
		Redis: Redis{Prefix: "vitrine"},
		HTTP:  HTTP{Addr: ":8080"},
		TLS:   defaultTLS(),
		RTMP: RTMP{
			Addr: ":1935", MaxConnections: 2000, MaxConnectionsPerAddress: 100, MaxWrongKeys: 10,
			IdleTimeout: Duration(10 * time.Second),
		},
		WebRTC: WebRTC{
			Enabled: true, Addr: ":8189", TCP: true, HoldStart: Duration(3 * time.Second),
			MaxSessions: 500, MaxSessionsPerAddress: 20, MaxWrongKeys: 10,
		},
		Transcode:       Transcode{FFmpeg: "ffmpeg", Encoder: "auto"},
		Live:            Live{ReconnectWindow: Duration(time.Minute), Linger: Duration(2 * time.Minute)},
		HLS:             HLS{Part: Duration(500 * time.Millisecond), Segment: Duration(2 * time.Second), Window: 10, MaxWaiters: 20_000},
		Recording:       Recording{Enabled: true, Reserve: 512 << 20, Queue: 16 << 20},
		Clips:           defaultClips(),
		Archive:         defaultArchive(),
		Catalogue:       defaultCatalogue(),
		Channel:         Channel{MaxConnections: 20_000, MaxConnectionsPerAddress: 1000},
		Staff:           Staff{Session: Duration(7 * 24 * time.Hour), SessionMax: Duration(90 * 24 * time.Hour), Invitation: Duration(72 * time.Hour)},
		Webhooks:        Webhooks{DisableAfter: Duration(120 * time.Hour), Retention: Duration(720 * time.Hour)},
		Reminders:       defaultReminders(),
		Comments:        defaultComments(),
		Funnel:          defaultFunnel(),
		Orders:          defaultOrders(),
		Payment:         defaultPayment(),
		Log:             Log{Format: "text", Level: "info"},
		ShutdownTimeout: Duration(10 * time.Second),
	}
}

// Load reads the file at path over the defaults ("" for none), then the environment over it. It does not Validate,
// because flags may still change the result. An error names the file and line, or the variable.
func Load(path string, env []string) (Config, error) {
	c := Default()
	if path != "" {
		if err := c.readFile(path); err != nil {
			return Config{}, err
		}
	}
	if err := c.applyEnv(env); err != nil {
		return Config{}, err
	}
	return c, nil
}

func (c *Config) readFile(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such configuration file", path)
	}
	if err != nil {
		return err
	}
	return c.read(path, b)
}

func (c *Config) read(path string, b []byte) error {
	err := yaml.UnmarshalWithOptions(b, c, yaml.Strict())
	if err == nil {
		return nil
	}
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		return fmt.Errorf("%s:%d: %s", path, at.GetToken().Position.Line, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", path, err)
}

// YAML renders the configuration as a file that Load reads back.
func (c *Config) YAML() ([]byte, error) { return yaml.Marshal(c) }
