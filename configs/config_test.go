package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var prefixes = cmp.Comparer(func(a, b Prefix) bool { return a == b })

func TestDocumentedFileHasEveryKeyAtItsDefault(t *testing.T) {
	var c Config
	if err := c.read("vitrine.yaml", Documented); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), c, cmpopts.EquateEmpty(), prefixes); diff != "" {
		t.Fatalf("vitrine.yaml and Default differ (-default +file):\n%s", diff)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	c := Default()
	c.Live.ReconnectWindow, c.Recording.Reserve = 90e9, 3<<30
	b, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := back.read("show", b); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if diff := cmp.Diff(c, back, cmpopts.EquateEmpty(), prefixes); diff != "" {
		t.Fatal(diff)
	}
}

func TestLoad(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		env        []string
		want       string // part of the error, "" for none
		check      func(*Config) bool
	}{
		{name: "nothing", check: func(c *Config) bool { return cmp.Equal(*c, Default(), cmpopts.EquateEmpty(), prefixes) }},
		{name: "file", file: "http:\n  addr: 127.0.0.1:9000\n", check: func(c *Config) bool { return c.HTTP.Addr == "127.0.0.1:9000" && c.RTMP.Addr == ":1935" }},
		{
			name: "environment wins", file: "live:\n  reconnect_window: 30s\n", env: []string{"VITRINE_LIVE_RECONNECT_WINDOW=90s", "PATH=/bin", "VITRINE_RECORDING_ENABLED=false", "VITRINE_HLS_WINDOW=6", "VITRINE_RECORDING_RESERVE=1GiB"},
			check: func(c *Config) bool {
				return c.Live.ReconnectWindow.String() == "1m30s" && !c.Recording.Enabled && c.HLS.Window == 6 && c.Recording.Reserve == 1<<30
			},
		},
		{
			name: "lists from the environment", env: []string{"VITRINE_WEBRTC_PUBLIC=203.0.113.7, live.example.com", "VITRINE_WEBRTC_ICE_SERVERS=turn:me:s:t@turn.example.com:3478?transport=tcp"},
			check: func(c *Config) bool {
				return cmp.Equal(c.WebRTC.Public, []string{"203.0.113.7", "live.example.com"}) &&
					cmp.Equal(c.WebRTC.ICEServers, []ICEServer{{URL: "turn:turn.example.com:3478?transport=tcp", Username: "me", Secret: "s:t"}})
			},
		},
		{
			name: "trusted proxies", file: "http:\n  trusted_proxies: [127.0.0.1, 10.0.0.0/8]\n",
			check: func(c *Config) bool {
				b, err := c.HTTP.TrustedProxies[0].MarshalText()
				return err == nil && string(b) == "127.0.0.1/32" && len(c.HTTP.TrustedProxies) == 2
			},
		},
		{name: "no network", env: []string{"VITRINE_HTTP_TRUSTED_PROXIES=localhost"}, want: "is no network"},
		{name: "STUN with a secret", file: "webrtc:\n  ice_servers: [stun:a:b@host:3478]\n", want: "needs user:secret@"},
		{name: "TURN without", env: []string{"VITRINE_WEBRTC_ICE_SERVERS=turn:host:3478"}, want: "needs user:secret@"},
		{name: "unknown key", file: "http:\n  addr: :80\n  colour: x\n", want: "vitrine.yaml:3: "},
		{name: "wrong type", file: "hls:\n  window: many\n", want: "vitrine.yaml:2: "},
		{name: "bad duration", file: "hls:\n  part: 500\n", want: "500ms"},
		{name: "no file", file: "-", want: "no such configuration file"},
		{name: "no settings", env: []string{"VITRINE_CONFIG=x.yaml", "VITRINE_TOKEN=vt_x"}, check: func(*Config) bool { return true }},
		{name: "unknown variable", env: []string{"VITRINE_HTTP_COLOUR=:80"}, want: "VITRINE_HTTP_COLOUR"},
		{name: "bad variable", env: []string{"VITRINE_HLS_WINDOW=many"}, want: "not a whole number"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := ""
			if tc.file != "" {
				path = filepath.Join(t.TempDir(), "vitrine.yaml")
				if tc.file != "-" {
					if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			c, err := Load(path, tc.env)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("error %v, want one with %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(&c) {
				t.Fatalf("unexpected configuration: %+v", c)
			}
		})
	}
}

func TestValidateNamesEveryBadKey(t *testing.T) {
	c := Default()
	c.HTTP.Addr, c.HLS.Part, c.Log.Level, c.RTMP.IdleTimeout = "8080", 1, "loud", 0
	err := c.Validate()
	if err == nil {
		t.Fatal("a broken configuration passed")
	}
	for _, key := range []string{"http.addr", "hls.part", "log.level", "rtmp.idle_timeout"} {
		if !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%q is not named in:\n%v", key, err)
		}
	}
}

func TestSecretsAreNotTold(t *testing.T) {
	c := Default()
	c.Redis.Password = "hush"
	for _, u := range []SecretURL{"postgres://me:hush@db/shop", "postgres://db/shop?user=me&password=hush", "me:hush@nowhere", "postgres://%zz:hush@"} {
		c.Database.URL, c.Redis.URL = u, u
		b, err := c.YAML()
		if err != nil || strings.Contains(string(b), "hush") {
			t.Errorf("%v\n%s", err, b)
		}
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v", err)
		}
	}
}

func TestStorageKeys(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"none":        {nil, ""},
		"both":        {[]string{"VITRINE_DATABASE_URL=postgres://u:p@h/db?sslmode=require", "VITRINE_REDIS_URL=rediss://u:p@h:1/2"}, ""},
		"cluster":     {[]string{"VITRINE_REDIS_ADDRS=a:1,b:2", "VITRINE_REDIS_PASSWORD=p"}, ""},
		"mysql":       {[]string{"VITRINE_DATABASE_URL=mysql://h/db"}, "database.url: "},
		"no scheme":   {[]string{"VITRINE_REDIS_URL=localhost:6379"}, "redis.url: "},
		"url, addrs":  {[]string{"VITRINE_REDIS_URL=redis://h", "VITRINE_REDIS_ADDRS=a:1"}, "redis.addrs: "},
		"no port":     {[]string{"VITRINE_REDIS_ADDRS=a"}, "redis.addrs: "},
		"master only": {[]string{"VITRINE_REDIS_MASTER=m"}, "redis.master: "},
		"prefix":      {[]string{"VITRINE_REDIS_PREFIX={x}"}, "redis.prefix: "},
	} {
		c, err := Load("", tc.env)
		if err == nil {
			err = c.Validate()
		}
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}
