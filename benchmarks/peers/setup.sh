#!/bin/sh
# The environment of the peers, apart from that of the service: in build/peers of the repository, which git
# ignores, their packages and the compiled model of Timefold. Needs python3 with venv and a JDK of version 17
# or newer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v javac >/dev/null || {
    echo "no javac here: Timefold needs Java 17, for example the Debian package openjdk-17-jdk-headless" >&2
    exit 1
}
mkdir -p "$here/../../build/peers"
cd "$here/../../build/peers"
test -x env/bin/python || "${PYTHON:-python3}" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
jars=$(env/bin/python -c 'import pathlib, timefold.solver as t; print(pathlib.Path(t.__file__).parent / "jars")')
rm -rf classes
javac -d classes -cp "$jars/*" "$here/TimefoldModel.java"
