#!/usr/bin/env bash
# Puts a demo shop on air: builds the server, starts it, pushes an endless encoded stream by RTMP as an anchor would, and
# pins the demo products in turn. Ctrl-C stops everything.
#   PUSH=0     waits for your own OBS instead of pushing
#   DATA=dir   where to keep the data (data); HTTP=addr, RTMP=addr, WEBRTC=addr: where to listen (:8080, :1935, :8189)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

push=${PUSH:-1}
font=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
mono=/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf
need_go
need curl=curl jq=jq git=git
[ "$push" = 0 ] || need ffmpeg=ffmpeg "$font=fonts-dejavu-core" "$mono=fonts-dejavu-core"

say "Building bin/vitrine"
make -s build

work=$(mktemp -d)
server="" encoder="" stopping=""

# stop ends what was started, the encoder first, so that the show ends as a show does.
stop() {
  trap '' INT TERM
  [ -z "$stopping" ] || return 0
  stopping=1
  local pid
  for pid in $encoder $server; do
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 150); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap stop EXIT
trap 'echo; say "Stopping"; stop; exit 0' INT TERM

# nap SECONDS: a sleep that a signal ends at once.
nap() {
  sleep "$1" &
  wait $! || true
}

# Children get a session of their own: Ctrl-C reaches this script alone, which then stops them in order.
args=(serve --demo --data "${DATA:-data}" --ready-file "$work/ready.json")
[ -z "${HTTP:-}" ] || args+=(--http "$HTTP")
[ -z "${RTMP:-}" ] || args+=(--rtmp "$RTMP")
[ -z "${WEBRTC:-}" ] || args+=(--webrtc "$WEBRTC")
setsid bin/vitrine "${args[@]}" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  [ -s "$work/ready.json" ] && break
  kill -0 "$server" 2>/dev/null || break
  nap 0.1
done
if [ ! -s "$work/ready.json" ]; then
  cat "$work/server.log" >&2
  fail "the server did not start (is another one running? choose ports with HTTP=:8081 RTMP=:1945 WEBRTC=:8190)"
fi

ready() { jq -r "$1" "$work/ready.json"; }
# A wildcard address is reached by name on this machine.
reach() { sed -E 's/^(\[::\]|0\.0\.0\.0|):/localhost:/' <<<"$1"; }
http=$(reach "$(ready .http)") rtmp=$(reach "$(ready .rtmp)")
room=$(ready .demo.room) key=$(ready .demo.stream_key)
token=$(cat "$(ready .admin_token_file)")
mapfile -t products < <(ready '.demo.products[]')

api() { curl -s --max-time 10 -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "${@:3}" "http://$http/api/v1$2"; }

# encode pushes a picture worth looking at: drifting light, a minute's dive in a frame, over and over, the sound as a wave, and the time.
# Sources are small and scaled up, so that it all costs about two thirds of a core.
encode() {
  local light="gradients=s=160x90:r=30:nb_colors=4:c0=0x140c2e:c1=0x3b1e63:c2=0x9c3f6a:c3=0x1d1140:x0=0:y0=0:x1=160:y1=90:speed=0.006:type=linear"
  local dive="mandelbrot=s=320x180:r=10:start_scale=2.6:end_scale=0.02:end_pts=600:inner=mincol:bailout=8:maxiter=280"
  local bell="0.10*sin(2*PI*t*(220+110*mod(floor(t/2)\,3)))*exp(-1.4*mod(t\,2))+0.07*sin(2*PI*t*(330+110*mod(floor(t/2+0.5)\,4)))*exp(-1.8*mod(t+1\,2))"
  local hum="0.025*sin(2*PI*110*t)*(1+sin(2*PI*t/8))"
  setsid ffmpeg -hide_banner -loglevel warning -nostdin -filter_complex_threads 1 \
    -re -f lavfi -i "$light" -re -f lavfi -i "$dive" -re -f lavfi -i "aevalsrc=exprs='$bell+$hum':s=48000" \
    -filter_complex "
      [0:v]format=yuv420p,scale=1280:720:flags=fast_bilinear,setsar=1[ground];
      [1:v]format=gray,loop=loop=-1:size=600,format=yuv444p,pseudocolor=preset=magma,format=yuv420p,scale=720:404:flags=fast_bilinear,drawbox=color=white@0.8:thickness=4,fps=30[stage];
      [2:a]asplit[sound][heard];
      [heard]showwaves=s=1280x110:mode=cline:rate=30:colors=white@0.5:scale=cbrt,format=yuva420p[wave];
      [ground][stage]overlay=x=280+24*sin(2*PI*t/11):y=118+12*sin(2*PI*t/7):format=yuv420[scene];
      [scene][wave]overlay=x=0:y=580:format=yuv420[mix];
      [mix]drawtext=fontfile=$font:fontcolor=white:fontsize=34:x=48:y=40:text='VITRINE  ·  demo show',
      drawtext=fontfile=$mono:fontcolor=white:fontsize=46:x=w-tw-48:y=34:box=1:boxcolor=black@0.35:boxborderw=12:text='%{localtime\:%H\\\\\\:%M\\\\\\:%S}'[picture]" \
    -map '[picture]' -map '[sound]' \
    -c:v libx264 -preset veryfast -tune zerolatency -b:v 2500k -maxrate 2750k -bufsize 2500k -g 60 -keyint_min 60 -sc_threshold 0 \
    -c:a aac -b:a 128k -ac 2 -f flv "rtmp://$rtmp/live/$key" >"$work/ffmpeg.log" 2>&1 &
  encoder=$!
}

[ "$push" = 0 ] || encode

say "
Watch       http://$http/r/$room
Studio      http://$http/studio/$room#key=$key          (go live from this browser instead)
API docs    http://$http/docs          (admin token: $token)
RTMP        rtmp://$rtmp/live          stream key: $key"
if [ "$push" = 0 ]; then
  say "Waiting for your encoder: in OBS, Settings > Stream > Custom, with the server and key above; keyframe interval 2 s."
fi
if https=$(ready '.https // empty') && [ -n "$https" ]; then
  say "From a phone: http://THIS-MACHINE:${http##*:}/trust shows the way to the studio at https://THIS-MACHINE:${https##*:}/studio/$room"
else
  say "A phone needs HTTPS for its camera: VITRINE_TLS_MODE=local make demo"
fi
say "Ctrl-C stops."

# Each product in turn: the next one is pinned before the one on screen goes.
pinned="" turn=0 mine=1
while kill -0 "$server" 2>/dev/null; do
  if [ -n "$encoder" ] && ! kill -0 "$encoder" 2>/dev/null; then
    if [ "$(api GET "/rooms/$room" | jq -r '.publisher != null')" != true ]; then
      cat "$work/ffmpeg.log" >&2
      fail "ffmpeg ended"
    fi
    encoder="" mine=0
    say "Another publisher has taken over and pins by itself from now on."
  fi
  state=$(api GET "/rooms/$room" | jq -r .state) || state=""
  if [ "$state" != live ] || [ "$mine" = 0 ]; then
    pinned=""
    nap 1
    continue
  fi
  product=${products[turn++ % ${#products[@]}]}
  new=$(api POST "/rooms/$room/pins" -d "{\"product_id\":\"$product\"}" | jq -r '.id // empty') || new=""
  [ -z "$pinned" ] || api DELETE "/rooms/$room/pins/$pinned" >/dev/null || true
  pinned=$new
  nap 15
done
cat "$work/server.log" >&2
fail "the server ended"
