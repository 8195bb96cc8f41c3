#!/bin/sh
# Installs the two parsers that are not Python packages: ical.js (npm) and libical (Debian).
# Wants root or sudo where they are missing. Python's own come with requirements-dev.txt.
set -eu
cd "$(dirname "$0")"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

packages=
ls /usr/lib/*/libical.so.3 >/dev/null 2>&1 || packages=libical3
command -v npm >/dev/null || packages="$packages nodejs npm"
if [ -n "$packages" ]; then
    as_root apt-get update -q
    # shellcheck disable=SC2086 - a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
fi

npm ci --ignore-scripts --no-audit --no-fund
