package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/atomicfile"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

//go:embed demo/*.svg
var demoImages embed.FS

// demo is the room and the products of `serve --demo`, kept in demo.json so that a restart finds them again.
type demo struct {
	Room      string   `json:"room"`
	StreamKey string   `json:"stream_key"`
	Products  []string `json:"products"`
}

func demoProducts() []commerce.Product {
	cny := func(minor int64) commerce.Money { return commerce.Money{Amount: minor, Currency: "CNY"} }
	stock := func(n int64) *int64 { return &n }
	return []commerce.Product{
		{Title: "手作青瓷茶杯 · Celadon tea cup", Price: cny(12_900), ImageURL: "/demo/cup.svg", URL: "https://example.com/celadon-cup", Stock: stock(86)},
		{Title: "亚麻围巾 · Linen scarf", Price: cny(25_900), ImageURL: "/demo/scarf.svg", URL: "https://example.com/linen-scarf", Stock: stock(40)},
		{Title: "胡桃木台灯 · Walnut desk lamp", Price: cny(69_900), ImageURL: "/demo/lamp.svg", URL: "https://example.com/walnut-lamp", Stock: stock(12)},
		{Title: "山茶花护手霜 · Camellia hand cream", Price: cny(5_900), ImageURL: "/demo/cream.svg", URL: "https://example.com/camellia-cream", Stock: stock(240)},
	}
}

// ensureDemo finds the demo of an earlier run, or makes one.
func ensureDemo(ctx context.Context, data *dataDir, rooms *live.Rooms, catalogue *commerce.Catalogue) (*demo, error) {
	path := data.file("demo.json")
	b, err := os.ReadFile(path)
	if err == nil {
		var d demo
		if err := json.Unmarshal(b, &d); err != nil {
			return nil, err
		}
		_, err := rooms.Store.Room(ctx, d.Room)
		if err == nil || errs.KindOf(err) != errs.NotFound {
			return &d, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	d, err := makeDemo(ctx, rooms, catalogue)
	if err != nil {
		return nil, err
	}
	if b, err = json.Marshal(d); err != nil {
		return nil, err
	}
	return d, atomicfile.Write(path, append(b, '\n'), 0o600)
}

func makeDemo(ctx context.Context, rooms *live.Rooms, catalogue *commerce.Catalogue) (*demo, error) {
	room, key, err := rooms.CreateRoom(ctx, live.RoomUpdate{Title: new("Vitrine 演示直播间 · Demo room")})
	if err != nil {
		return nil, err
	}
	d := &demo{Room: room.ID, StreamKey: key}
	for _, p := range demoProducts() {
		made, err := catalogue.Create(ctx, p)
		if err != nil {
			return nil, err
		}
		d.Products = append(d.Products, made.ID)
	}
	_, err = catalogue.SetBag(ctx, room.ID, d.Products)
	return d, err
}

// withDemoImages serves the pictures of the demo products beside everything else.
func withDemoImages(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	images := http.FileServerFS(demoImages)
	mux.HandleFunc("GET /demo/{image}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		images.ServeHTTP(w, r)
	})
	mux.Handle("/", next)
	return mux
}
