#!/bin/sh
# Says what this machine lacks, and the command that brings it, before anything is set up.
# check_machine.sh python NAME: exit 2 unless NAME is a Python that can set up .venv.
# check_machine.sh browser, server or java: exit 2 under CI, else only a word, for then the tests of
# it are skipped.
lacks() {
    echo "$1" >&2
    echo "Debian, Ubuntu: sudo apt-get install $2; macOS: brew install $3" >&2
}
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}
case $1 in
python)
    if ! fits "$2"; then
        for other in python3.13 python3.12 python3.11; do
            fits "$other" || continue
            echo "$2 is missing or not 3.11 to 3.13, but $other is here: make demo PYTHON=$other" >&2
            exit 2
        done
        lacks "$2 is missing or not 3.11 to 3.13." "python3 python3-venv" "python@3.13"
        # Where the system has only a newer one: dbt-core 1.11 does not start on Python 3.14.
        echo "Any system: uv python install 3.13 && make demo PYTHON=python3.13" >&2
        exit 2
    fi
    if ! "$2" -c 'import venv, ensurepip' 2>/dev/null; then
        version=$("$2" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        lacks "$2 has no venv or no ensurepip." "python$version-venv" "python@$version"
        exit 2
    fi
    ;;
browser)
    command -v chromium >/dev/null && exit 0
    lacks "chromium is missing; the tests in a browser need it." "chromium" "--cask chromium"
    if [ -n "${CI:-}" ]; then exit 2; fi
    ;;
server)
    # Debian keeps the programs of the server off the path.
    command -v initdb >/dev/null && exit 0
    for program in "${DEBIAN_POSTGRES:-/usr/lib/postgresql}"/*/bin/initdb; do
        if [ -x "$program" ]; then exit 0; fi
    done
    lacks "PostgreSQL is missing; the tests that load into one need it." "postgresql" "postgresql"
    if [ -n "${CI:-}" ]; then exit 2; fi
    ;;
java)
    command -v java >/dev/null && exit 0
    lacks "Java is missing; the tests on Spark need it." "openjdk-17-jre-headless" "openjdk@17"
    if [ -n "${CI:-}" ]; then exit 2; fi
    ;;
esac
