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
	simple := func(title, image string, price, original, stock int64, points ...string) commerce.Product {
		return commerce.Product{
			Title: title, Points: points, Images: []string{"/demo/" + image + ".svg"}, Price: commerce.Money{Currency: "CNY"},
			SKUs: []commerce.SKU{{Code: "demo-" + image, Price: price, Original: original, Tracked: true, Total: stock}},
		}
	}
	scarf := simple("亚麻围巾 · Linen scarf", "scarf", 0, 0, 0, "水洗亚麻 · Washed linen", "190 × 65 cm")
	scarf.SKUs = nil
	for _, c := range []struct {
		code, colour string
		price, stock int64
	}{{"sand", "沙色 · Sand", 25_900, 24}, {"indigo", "靛蓝 · Indigo", 27_900, 12}, {"moss", "苔绿 · Moss", 25_900, 4}} {
		scarf.SKUs = append(scarf.SKUs, commerce.SKU{
			Code: "demo-scarf-" + c.code, Attributes: []commerce.Attribute{{Name: "颜色 · Colour", Value: c.colour}}, Price: c.price, PerBuyer: 2, Tracked: true, Total: c.stock,
		})
	}
	return []commerce.Product{
		simple("手作青瓷茶杯 · Celadon tea cup", "cup", 12_900, 0, 86, "龙泉青瓷 · Longquan celadon", "180 ml"),
		scarf,
		simple("胡桃木台灯 · Walnut desk lamp", "lamp", 69_900, 89_900, 12, "实木底座 · Solid wood base", "三档调光 · Three levels of light"),
		simple("山茶花护手霜 · Camellia hand cream", "cream", 5_900, 0, 240, "50 ml"),
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
