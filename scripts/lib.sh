# Shared by the scripts beside it: saying what happens, and installing what is missing. Sourced, never run.

say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() {
  printf 'vitrine: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: runs it as root, by sudo where needed.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "needs root for: $* (no sudo here; run it as root once)"
  fi
}

# need COMMAND=PACKAGE...: installs the Debian packages whose commands (or files, when a path) are not there.
need() {
  local pair missing=()
  for pair in "$@"; do
    local what=${pair%%=*} package=${pair#*=}
    case $what in
      /*) [ -e "$what" ] || missing+=("$package") ;;
      *) command -v "$what" >/dev/null || missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "please install: ${missing[*]} (only Debian and Ubuntu are handled by this script)"
  say "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_servers: the programs of PostgreSQL and Redis, of which the tests run instances of their own: installing them starts
# nothing and leaves no database behind.
need_servers() {
  # They refuse to run as root and are run as another user, whom the root folder of some containers lets nowhere.
  if [ "$(id -u)" = 0 ] && [ -z "$(find / -maxdepth 0 -perm -o=x)" ]; then
    say "Letting other users pass through / (the databases of the tests do not run as root)"
    chmod o+x /
  fi
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && command -v redis-server >/dev/null && return
  local deny=/usr/sbin/policy-rc.d none=/etc/postgresql-common/createcluster.d/vitrine.conf made=()
  local had_redis=
  command -v redis-server >/dev/null && had_redis=1
  if [ ! -e $deny ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $deny >/dev/null
    as_root chmod 755 $deny
    made+=($deny)
  fi
  as_root mkdir -p "${none%/*}"
  echo 'create_main_cluster = false' | as_root tee $none >/dev/null
  made+=($none)
  local ok=0
  (PATH=$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin) && need initdb=postgresql redis-server=redis-server) || ok=1
  as_root rm -f "${made[@]}"
  [ $ok = 0 ] || exit 1
  # nor at the next start of the machine
  if [ -z "$had_redis" ] && [ -d /run/systemd/system ]; then as_root systemctl disable --quiet redis-server || true; fi
}

# need_go: the toolchain named in go.mod fetches itself, but some Go must be there.
need_go() {
  command -v go >/dev/null || fail "Go is not installed: https://go.dev/dl/ (1.26 or later)"
}

# need_node: the pages are built with Node; the built files are committed, so only their tests and builds need it.
need_node() {
  command -v npm >/dev/null || fail "Node.js with npm is not installed: https://nodejs.org (20 or later)"
}
