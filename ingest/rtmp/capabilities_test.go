package rtmp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A connect that speaks of Enhanced RTMP is answered in its words, under its own transaction.
func TestEnhancedConnect(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.command(0, "connect", 7.0, amfObject{{"app", "live"}, {"fourCcList", []any{"av01", "hvc1"}}})
	vs := c.reply("_result")
	if len(vs) != 4 || vs[1] != 7.0 {
		t.Fatalf("%v", vs)
	}
	for i, v := range vs[2:] {
		o, _ := v.(amfObject)
		want := []any{"avc1", "hvc1", "av01", "mp4a"}
		if diff := cmp.Diff(want, o.get("fourCcList")); diff != "" {
			t.Errorf("object %d: %s", i, diff)
		}
		video, _ := o.get("videoFourCcInfoMap").(amfObject)
		audio, _ := o.get("audioFourCcInfoMap").(amfObject)
		if video.get("hvc1") != 5.0 || video.get("av01") != 5.0 || audio.get("mp4a") != 5.0 || o.get("capsEx") != 4.0 {
			t.Errorf("object %d: %v", i, o)
		}
	}
	if info, _ := vs[3].(amfObject); info.text("code") != "NetConnection.Connect.Success" {
		t.Errorf("%v", vs[3])
	}
	c.command(0, "connect", 8.0, amfObject{{"app", "live"}, {"capsEx", 1.0}}) // once more, for nothing
	c.command(0, "createStream", 9.0, nil)
	if vs := c.reply("_result"); vs[1] != 9.0 || vs[3] != 1.0 {
		t.Fatalf("createStream: %v", vs)
	}
	c.setChunkSize(4096)
	c.command(1, "publish", 5.0, nil, goodKey, "live")
	if code, _ := c.status(); code != "NetStream.Publish.Start" {
		t.Fatal(code)
	}
}

// Others are answered in the words that they know.
func TestPlainConnect(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.command(0, "connect", 1.0, amfObject{{"app", "live"}})
	vs := c.reply("_result")
	properties, _ := vs[2].(amfObject)
	info, _ := vs[3].(amfObject)
	if vs[1] != 1.0 || properties.text("fmsVer") == "" || properties.get("fourCcList") != nil || info.text("code") != "NetConnection.Connect.Success" {
		t.Errorf("%v", vs)
	}
}

func TestFCPublishIsAnswered(t *testing.T) {
	h := serve(t, Config{})
	c := h.dial()
	c.command(0, "connect", 1.0, amfObject{{"app", "live"}})
	c.reply("_result")
	c.command(0, "FCPublish", 3.0, nil, goodKey)
	vs := c.reply("onFCPublish")
	if info, _ := vs[len(vs)-1].(amfObject); info.text("code") != "NetStream.Publish.Start" || info.text("description") != goodKey {
		t.Errorf("%v", vs)
	}
}
