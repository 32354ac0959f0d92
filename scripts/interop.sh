#!/usr/bin/env bash
# Pushes with encoders of other makers and looks at what viewers get: GStreamer's rtmp2sink, and OBS Studio on a screen
# that nobody sees (Xvfb). For each it prints what the server saw and what a player decoded, live and as a replay. Not part
# of `make test`: OBS and its libraries are half a gigabyte.
#   CLIENTS="gstreamer obs"  which ones; SECONDS_ON_AIR=15  for how long
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

clients=${CLIENTS:-gstreamer obs}
on_air=${SECONDS_ON_AIR:-15}
need_go
need curl=curl jq=jq git=git ffmpeg=ffmpeg ffprobe=ffmpeg
case " $clients " in *" gstreamer "*)
  need gst-launch-1.0=gstreamer1.0-tools
  plugins=$(find /usr/lib -path '*gstreamer-1.0/*' -name '*.so' 2>/dev/null || true)
  for plugin in rtmp2=bad x264=ugly videotestsrc=base voaacenc=bad; do
    grep -q "libgst${plugin%%=*}.so" <<<"$plugins" || need /nonexistent="gstreamer1.0-plugins-${plugin#*=}"
  done
  ;;
esac
case " $clients " in *" obs "*) need Xvfb=xvfb obs=obs-studio /usr/lib/x86_64-linux-gnu/dri/swrast_dri.so=libgl1-mesa-dri ;; esac

say "Building bin/vitrine"
make -s build
work=$(mktemp -d)
pids=()

# stop ends what this script started, by number, the newest first.
stop() {
  trap '' INT TERM
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do end "${pids[i]}" TERM; done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# end PID SIGNAL: ends a process and waits for it, five seconds in its way.
end() {
  kill "-$2" "$1" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# until_true SECONDS COMMAND...: waits for a command to succeed.
until_true() {
  local n=$(($1 * 5))
  shift
  for _ in $(seq "$n"); do
    "$@" && return 0
    sleep 0.2
  done
  return 1
}

setsid bin/vitrine serve --data "$work/data" --http 127.0.0.1:0 --rtmp 127.0.0.1:0 --webrtc 127.0.0.1:0 --ready-file "$work/ready.json" >"$work/server.log" 2>&1 &
pids+=($!)
until_true 30 test -s "$work/ready.json" || { cat "$work/server.log" >&2; fail "the server did not start"; }
http=$(jq -r .http "$work/ready.json") rtmp=$(jq -r .rtmp "$work/ready.json") token=$(cat "$(jq -r .admin_token_file "$work/ready.json")")

api() { curl -sf --max-time 10 -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "${@:3}" "http://$http/api/v1$2"; }

# push_gstreamer KEY: a different maker's RTMP: chunks of 128 bytes, transaction id 0, metadata over and over.
push_gstreamer() {
  exec setsid gst-launch-1.0 -q -e \
    videotestsrc is-live=true ! 'video/x-raw,width=640,height=360,framerate=30/1,format=I420' ! x264enc tune=zerolatency key-int-max=60 bitrate=1000 ! h264parse ! \
    flvmux name=mux streamable=true ! rtmp2sink location="rtmp://$rtmp/live/$1" \
    audiotestsrc is-live=true ! 'audio/x-raw,rate=48000,channels=2' ! voaacenc ! aacparse ! mux.
}

# push_obs KEY: OBS with its default encoder settings, as most anchors have it: a keyframe every 8.3 s, B-frames.
push_obs() {
  export HOME=$work/obs XDG_CONFIG_HOME=$work/obs/.config XDG_RUNTIME_DIR=$work/obs/run LIBGL_ALWAYS_SOFTWARE=1 QT_QPA_PLATFORM=xcb
  local config=$XDG_CONFIG_HOME/obs-studio
  mkdir -p "$config/basic/profiles/interop" "$config/basic/scenes" "$XDG_RUNTIME_DIR"
  chmod 700 "$XDG_RUNTIME_DIR"
  ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 20 \
    -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac -ac 2 "$work/film.mp4"
  printf '%s\n' '[General]' FirstRun=true Pre19Defaults=false Pre21Defaults=false Pre23Defaults=false Pre24.1Defaults=false EnableAutoUpdates=false \
    LastVersion=486539266 InfoIncrement=999 '[Basic]' Profile=interop ProfileDir=interop SceneCollection=interop SceneCollectionFile=interop \
    '[BasicWindow]' PreviewEnabled=false WarnBeforeStartingStream=false WarnBeforeStoppingStream=false >"$config/global.ini"
  printf '%s\n' '[General]' Name=interop '[Output]' Mode=Simple '[SimpleOutput]' StreamEncoder=x264 Preset=veryfast VBitrate=1500 ABitrate=128 \
    UseAdvanced=false '[Video]' BaseCX=640 BaseCY=360 OutputCX=640 OutputCY=360 FPSType=0 FPSCommon=30 ColorFormat=NV12 \
    '[Audio]' SampleRate=48000 ChannelSetup=Stereo >"$config/basic/profiles/interop/basic.ini"
  jq -n --arg key "$1" --arg server "rtmp://$rtmp/live" \
    '{type: "rtmp_custom", settings: {bwtest: false, use_auth: false, key: $key, server: $server}}' >"$config/basic/profiles/interop/service.json"
  jq -n --arg film "$work/film.mp4" '{
    name: "interop", current_scene: "Scene", current_program_scene: "Scene", current_transition: "Cut", scene_order: [{name: "Scene"}],
    groups: [], transitions: [], transition_duration: 300,
    sources: [
      {id: "scene", name: "Scene", versioned_id: "scene", enabled: true, settings: {custom_size: false, id_counter: 2, items: [
        {name: "Film", id: 1, visible: true, pos: {x: 0, y: 0}, scale: {x: 1, y: 1}, rot: 0, align: 5, bounds: {x: 0, y: 0}, bounds_type: 0, locked: false}]}},
      {id: "ffmpeg_source", name: "Film", versioned_id: "ffmpeg_source", enabled: true, mixers: 255, volume: 1.0,
        settings: {is_local_file: true, local_file: $film, looping: true, restart_on_activate: true}}]}' >"$config/basic/scenes/interop.json"
  export DISPLAY
  DISPLAY=:$(cat "$work/display")
  exec setsid obs --startstreaming --minimize-to-tray --multi --profile interop --collection interop --scene Scene --disable-shutdown-check
}

# screen starts a screen that nobody sees and notes its number.
screen() {
  setsid Xvfb -displayfd 3 -screen 0 1280x720x24 -nolisten tcp 3>"$work/display" >"$work/xvfb.log" 2>&1 &
  pids+=($!)
  until_true 15 test -s "$work/display"
}

# played LIMIT OPTIONS ADDRESS: how many pictures a player decodes without an error.
played() {
  timeout "$1" ffmpeg -nostdin -v error -xerror "${@:2}" -map 0:v -map '0:a?' -fps_mode passthrough -progress pipe:1 -f null - | sed -n 's/^frame=//p' | tail -n 1
}

is_live() { [ "$(api GET "/rooms/$1" | jq -r .state)" = live ]; }
is_ended() { [ "$(api GET "/shows/$1" | jq -r .state)" = ended ]; }

# check NAME: one client from the push to the replay.
check() {
  local name=$1 room show client frames
  local made
  made=$(api POST /rooms -d "{\"title\":\"$name\"}")
  room=$(jq -r .id <<<"$made")
  [ "$name" != obs ] || screen || { echo "$name: no screen: $(cat "$work/xvfb.log")"; return 1; }
  ("push_$name" "$(jq -r .stream_key <<<"$made")") >"$work/$name.log" 2>&1 &
  client=$!
  pids+=("$client")
  until_true 60 is_live "$room" || { echo "$name: never on air"; tail -n 20 "$work/$name.log"; return 1; }
  show=$(api GET "/rooms/$room" | jq -r .current_show)
  frames=$(played 60 -i "http://$http/live/$room/index.m3u8" -t 4) || true
  echo "$name: live: ${frames:-0} pictures of 4 s"
  sleep "$on_air"
  api GET "/rooms/$room" | jq -r --arg n "$name" '.publisher | "\($n): encoder \(.encoder // "unknown"), " +
    ([to_entries[] | select((.value | type) as $t | ($t == "number" or $t == "string")) | select(.key | test("remote|connected|protocol|encoder") | not) | "\(.key)=\(.value)"] | join(" ")),
    (.warnings // [] | .[] | "\($n): warned: \(.message)")'
  end "$client" "$([ "$name" = gstreamer ] && echo INT || echo TERM)"
  until_true 5 is_ended "$show" || { echo "$name: left without saying so"; api POST "/rooms/$room/end"; }
  until_true 5 is_ended "$show"
  ffprobe -v error -show_entries stream=codec_name,profile,width,height,r_frame_rate,sample_rate,channels -of compact=nokey=1:print_section=0 \
    "http://$http/replay/$show/index.m3u8" | grep . | sort -u | sed "s/^/$name: replay: /"
  local replayed expected
  replayed=$(played 120 -i "http://$http/replay/$show/index.m3u8") || true
  expected=$(api GET "/shows/$show" | jq '.duration_ms * 30 / 1000 | floor')
  echo "$name: replay: ${replayed:-0} pictures, about $expected by its length"
  [ "${frames:-0}" -ge 110 ] && [ "${replayed:-0}" -ge $((expected * 95 / 100)) ]
}

failed=()
for name in $clients; do
  say "== $name"
  check "$name" || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || { tail -n 40 "$work/server.log" >&2; fail "failed: ${failed[*]}"; }
say "all play"
