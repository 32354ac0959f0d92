package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/configs"
	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/ingest/rtmp"
	"github.com/vitrine-live/vitrine/internal/clientaddr"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/transcode"
	"github.com/vitrine-live/vitrine/web"
)

// server is a running vitrine. Its parts start in the order of the table in run and stop in reverse.
type server struct {
	config configs.Config
	flags  serveFlags
	log    *slog.Logger
	stdout io.Writer

	metrics   *prometheus.Registry
	data      *dataDir
	token     string
	db        *sqldb.DB
	catalogue *commerce.Catalogue
	viewers   *account.Viewers
	timeline  *overlay.Timeline
	hub       *overlay.Hub
	archive   *replay.Archive
	rooms     *live.Rooms
	demo      *demo
	http      net.Listener
	rtmp      net.Listener
	handler   atomic.Pointer[http.Handler] // nil until the surface is there
	secure
	webrtc
	pulls
	lotteryParts
	offerParts
	storage
	catalogueParts
	people
	pay
	funnelParts
	styleParts
	orderParts
	previewParts
	editParts
	clipParts
	mirrorParts
}

// part is one step of starting the server; its stop is called when a later part fails or the server ends.
type part struct {
	name  string
	start func(context.Context) (stop func(context.Context) error, err error)
}

// run starts every part, works until ctx ends or a part fails, and stops every part.
func (s *server) run(ctx context.Context) (err error) {
	parts := []part{
		{"metrics", s.startMetrics},
		{"data", s.startData},
		{"database", s.startDatabase},
		{"redis", s.startRedis},
		{"blobs", s.startBlobs},
		{"people", s.startPeople},
		{"webhooks", s.startWebhooks},
		{"mall", s.startMall},
		{"listeners", s.startListeners},
		{"http", s.startHTTP}, // before the rooms, so that at the stop they first release whoever waits for them
		{"tls", s.startTLS},
		{"mirror", s.openMirror},
		{"archive", s.startArchive},
		{"style", s.startStyle},
		{"mirroring", s.startMirroring},
		{"previews", s.startPreviews},
		{"overlay", s.startOverlay},
		{"reminders", s.startReminders},
		{"rooms", s.startRooms},
		{"edits", s.startEdits},
		{"reminding", s.startReminding},
		{"funnel", s.startFunnel},
		{"highlights", s.startHighlights},
		{"stock news", s.startStockNews},
		{"product imports", s.startProductImports},
		{"clips", s.startClips},
		{"retention", s.startRetention}, // what it deletes, clips are told of
		{"demo", s.startDemo},
		{"whip", s.startWHIP},
		{"imports", s.startImports},
		{"pull", s.startPull},
		{"audience", s.startAudience},
		{"offers", s.startOffers},
		{"orders", s.startOrders},
		{"reconciliation", s.startReconciling},
		{"lotteries", s.startLotteries},
		{"surface", s.startSurface},
		{"rtmp", s.startRTMP},
		{"ready", s.startReady},
	}
	var stops []func(context.Context) error
	defer func() {
		err = errors.Join(err, s.stop(stops))
	}()
	for _, p := range parts {
		stop, err := p.start(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if stop != nil {
			stops = append(stops, stop)
		}
	}
	<-ctx.Done()
	s.log.Info("stopping: shows are marked interrupted and go on when the server is back")
	return nil
}

// stop stops the parts in reverse, all within the shutdown timeout.
func (s *server) stop(stops []func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.config.ShutdownTimeout))
	defer cancel()
	var failed []error
	for i := len(stops) - 1; i >= 0; i-- {
		failed = append(failed, stops[i](ctx))
	}
	return errors.Join(failed...)
}

func (s *server) startMetrics(context.Context) (func(context.Context) error, error) {
	s.metrics = prometheus.NewRegistry()
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vitrine_build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	s.metrics.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return nil, nil
}

func (s *server) startData(context.Context) (func(context.Context) error, error) {
	data, err := openData(s.config.Data)
	if err != nil {
		return nil, err
	}
	s.data = data
	token, fresh, err := data.adminToken()
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	s.token = token
	if fresh {
		fmt.Fprintf(s.stdout, "Admin token: %s\n(shown once; kept in %s)\n", token, data.file("admin.token"))
	}
	return func(context.Context) error { return data.Close() }, nil
}

func (s *server) startDatabase(ctx context.Context) (func(context.Context) error, error) {
	db, err := openDatabase(ctx, s.config.Database, s.data.file("vitrine.db"))
	if err != nil {
		return nil, err
	}
	s.db = db
	s.catalogue = commerce.NewCatalogue(db, nil).With(s.rules())
	secret, err := s.secret(ctx, "visitor_secret")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.viewers = account.NewViewers(account.NewVisitors([]byte(secret), nil), db)
	return func(context.Context) error { return db.Close() }, nil
}

// secret returns the secret of a name, which is made when it is first asked for and kept in the database, so that all
// servers of one database share it.
func (s *server) secret(ctx context.Context, name string) (string, error) {
	return s.db.SettingOr(ctx, name, ids.Secret("secret")+ids.Secret(""))
}

func (s *server) startArchive(context.Context) (func(context.Context) error, error) {
	if !s.config.Recording.Enabled {
		return nil, nil
	}
	archive, err := replay.Open(s.data.file("recordings"), replay.Config{
		Reserve: int64(s.config.Recording.Reserve), Queue: int64(s.config.Recording.Queue), Ranges: s.replayRanges, Edited: s.replayEdited,
		Beside: s.beside, Copies: s.copies(), Deleted: s.recordingDeleted,
	}, s.log, replay.NewMetrics(s.metrics))
	if err != nil {
		return nil, err
	}
	s.archive = archive
	return func(context.Context) error { return archive.Close() }, nil
}

// replayRanges are the pins of a show for the playlists of its replay.
func (s *server) replayRanges(ctx context.Context, showID string) ([]playlist.DateRange, error) {
	ranges, err := s.timeline.Ranges(ctx, showID)
	if err != nil {
		return nil, err
	}
	return live.DateRanges(ranges), nil
}

func (s *server) startOverlay(context.Context) (func(context.Context) error, error) {
	m := overlay.NewMetrics(s.metrics)
	s.timeline = overlay.NewTimeline(s.db, s.log, m)
	s.hub = overlay.NewHub(overlay.HubConfig{
		MaxConnections: s.config.Channel.MaxConnections, MaxPerAddress: s.config.Channel.MaxConnectionsPerAddress,
		ClientAddr: s.clients().Of,
	}, s.timeline, snapshots{s}, s.log, m)
	return func(ctx context.Context) error { s.hub.Close(ctx); return nil }, nil
}

// clients tells the addresses of HTTP clients, also behind the proxies that the configuration trusts.
func (s *server) clients() clientaddr.Finder {
	proxies := make([]netip.Prefix, len(s.config.HTTP.TrustedProxies))
	for i, p := range s.config.HTTP.TrustedProxies {
		proxies[i] = netip.Prefix(p)
	}
	return clientaddr.Trusting(proxies)
}

// snapshots lets the channel ask rooms that start after it.
type snapshots struct{ s *server }

func (s snapshots) Snapshot(ctx context.Context, roomID string) (overlay.Snapshot, error) {
	return s.s.rooms.Snapshot(ctx, roomID)
}

func (s *server) startRooms(ctx context.Context) (func(context.Context) error, error) {
	transcoder, err := transcode.New(transcode.Config{
		FFmpeg: s.config.Transcode.FFmpeg, Encoder: s.config.Transcode.Encoder, MaxCost: s.config.Transcode.MaxCost,
	}, s.log, transcode.NewMetrics(s.metrics))
	if err != nil {
		return nil, err
	}
	rooms, err := live.NewRooms(live.Config{
		ReconnectWindow: time.Duration(s.config.Live.ReconnectWindow), Linger: time.Duration(s.config.Live.Linger),
		NoRecording:   !s.config.Recording.Enabled,
		MaxPublishers: s.config.Live.MaxPublishers, MaxPublishersPerStore: s.config.Live.MaxPublishersPerStore,
		MaxPublishersPerAddress: s.config.Live.MaxPublishersPerAddress,
		HLS: hls.Config{
			PartTarget: time.Duration(s.config.HLS.Part), SegmentTarget: time.Duration(s.config.HLS.Segment),
			Window: s.config.HLS.Window, MaxWaiters: s.config.HLS.MaxWaiters,
		},
	}, live.Deps{
		Store: s.db, Products: s.catalogue, Timeline: s.timeline, Archive: s.archive, Log: s.log,
		Metrics: live.NewMetrics(s.metrics), HLS: hls.NewMetrics(s.metrics), RoomChanged: s.roomChanged, SourcesChanged: s.sourcesChanged,
		Transcoder: transcoder,
	})
	if err != nil {
		return nil, err
	}
	s.rooms = rooms
	s.metrics.MustRegister(live.NewCollector(rooms))
	if err := rooms.Restore(ctx); err != nil {
		return nil, err
	}
	sweep, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var swept sync.WaitGroup
	swept.Go(func() { rooms.Run(sweep) })
	return func(ctx context.Context) error {
		cancel()
		swept.Wait()
		rooms.Close(ctx)
		return nil
	}, nil
}

func (s *server) startDemo(ctx context.Context) (func(context.Context) error, error) {
	if !s.flags.demo {
		return nil, nil
	}
	d, err := ensureDemo(ctx, s.data, s.rooms, s.catalogue)
	s.demo = d
	return nil, err
}

// startRTMP lets publishers in. At the stop they are let go first, so that rooms close complete recordings.
func (s *server) startRTMP(ctx context.Context) (func(context.Context) error, error) {
	c := s.config.RTMP
	srv := rtmp.New(rtmp.Config{
		MaxConnections: c.MaxConnections, MaxConnectionsPerAddress: c.MaxConnectionsPerAddress, MaxWrongKeys: c.MaxWrongKeys,
		IdleTimeout: time.Duration(c.IdleTimeout),
	}, s.rooms, s.log, rtmp.NewMetrics(s.metrics))
	return s.background(ctx, func(ctx context.Context) error { return s.serveRTMP(ctx, srv) }), nil
}

// background runs work until its stop, which waits for it.
func (s *server) background(ctx context.Context, work func(context.Context) error) func(context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	return func(context.Context) error {
		cancel()
		return <-done
	}
}

func (s *server) startListeners(ctx context.Context) (func(context.Context) error, error) {
	var err error
	if s.http, err = listen(ctx, s.config.HTTP.Addr, "http.addr"); err != nil {
		return nil, err
	}
	if s.rtmp, err = listen(ctx, s.config.RTMP.Addr, "rtmp.addr"); err != nil {
		return nil, errors.Join(err, s.http.Close())
	}
	return nil, nil
}

// startHTTP answers from the beginning; until the surface is there it says that the server is starting.
func (s *server) startHTTP(context.Context) (func(context.Context) error, error) {
	return s.serveWeb(s.http), nil
}

// serveWeb serves the web at a listener until its stop.
func (s *server) serveWeb(l net.Listener) (stop func(context.Context) error) {
	srv := &http.Server{
		Handler: http.HandlerFunc(s.dispatch), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	return func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil { // players that still download
			err = srv.Close()
		}
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	}
}

func (s *server) dispatch(w http.ResponseWriter, r *http.Request) {
	if s.challenged(w, r) {
		return
	}
	h := s.handler.Load()
	if h == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server is starting", http.StatusServiceUnavailable)
		return
	}
	(*h).ServeHTTP(w, r)
}

func (s *server) startSurface(context.Context) (func(context.Context) error, error) {
	handler := s.withTrust(s.withWHIP(s.surface().Handler()))
	if s.flags.demo {
		handler = withDemoImages(handler)
	}
	s.handler.Store(&handler)
	return nil, nil
}

func (s *server) surface() *api.Server {
	return api.New(api.Deps{
		Rooms: s.rooms, Catalogue: s.catalogue, Timeline: s.timeline, Channel: s.hub, Archive: s.archive, Imports: s.imports, Store: s.surfaceStore(),
		People: s.staff, Audit: s.audit, Viewers: s.viewers, WeChat: s.wechatLogin(),
		Webhooks: s.webhooks, StyleDeps: api.StyleDeps{ClipAssets: s.clipAssets},
		Viewer: web.Viewer(), Studio: web.Studio(), Push: web.Push(), Assets: web.Assets(), Gatherer: s.metrics, Log: s.log, AdminTokenHash: api.HashToken(s.token),
		Lotteries: s.lotteries, Offers: s.offers, Comments: s.comments, Likes: s.likes,
		Version: version, PublicURL: s.config.HTTP.PublicURL, RTMPPort: port(s.rtmp), PublicMetrics: s.config.HTTP.PublicMetrics,
		RTMPSPort: port(s.rtmps), HTTPSPort: port(s.https), WHIP: s.whip != nil, ClientAddr: s.clients().Of, MaxWrongKeys: s.config.WebRTC.MaxWrongKeys,
		CatalogueDeps: s.catalogueDeps(), FunnelDeps: s.funnelDeps(), PayDeps: s.payDeps(),
		HighlightDeps: s.highlightDeps(), RetentionDeps: api.RetentionDeps{Retention: s.retention}, ClipDeps: s.clipDeps(),
		Ready:     s.db.Ping,
		OrderDeps: api.OrderDeps{Orders: s.orders, SandboxPage: s.sandboxPage()}, ReplayDeps: api.ReplayDeps{Edits: s.edits, Editor: web.Editor()},
	})
}

func listen(ctx context.Context, addr, key string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; stop what uses the address, or set %s (`vitrine doctor` looks closer)", err, key)
	}
	return l, nil
}

func (s *server) startReady(context.Context) (func(context.Context) error, error) {
	remove, err := announceReady(s.flags.readyFile, readyFile{
		HTTP: s.http.Addr().String(), HTTPS: addr(s.https), RTMP: s.rtmp.Addr().String(), RTMPS: addr(s.rtmps), WebRTC: s.webrtcAddr(), AdminTokenFile: s.data.file("admin.token"), Demo: s.demo,
	})
	if err != nil {
		return nil, err
	}
	s.greet()
	return func(context.Context) error { remove(); return nil }, nil
}

// greet prints where to go next.
func (s *server) greet() {
	s.log.Info("vitrine is ready", "version", version, "http", s.http.Addr(), "https", addr(s.https), "rtmp", s.rtmp.Addr(), "rtmps", addr(s.rtmps), "webrtc", s.webrtcAddr(), "data", s.config.Data)
	if s.demo == nil {
		return
	}
	host := local(s.http.Addr())
	fmt.Fprintf(s.stdout, "\nWatch   http://%s/r/%s\nStudio  http://%s/studio/%s#key=%s\nDocs    http://%s/docs\nPush    rtmp://%s/live\nKey     %s\n\n",
		host, s.demo.Room, host, s.demo.Room, s.demo.StreamKey, host, local(s.rtmp.Addr()), s.demo.StreamKey)
}

// local is how this machine itself reaches a listener.
func local(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if ok && t.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", t.Port)
	}
	return a.String()
}
