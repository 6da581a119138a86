#!/bin/sh
# The main job on the pack beside this file: each line that begins with $ is a command that was
# run. What it stores stays in .demo of the clone; `rm -r .demo` removes it.
set -eu
cd "$(dirname "$0")"
store="${CORTICAL_DEMO_DIR:-$(cd ../.. && pwd)/.demo}"
mkdir -p "$store"
export CORTICAL_DATA_DIR="$store/data" CORTICAL_CACHE_DIR="$store/cache" CORTICAL_COLLECTION=demo

run() {
    printf '\n$ cortical'
    for word in "$@"; do
        case $word in
            *" "*) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    cortical "$@"
}
trap 'cortical database stop >/dev/null' EXIT

run doctor
run ingest pack
run ask --file questions/water-filter.wav
run ask --file questions/invoice-amount.wav
run ask --file questions/spare-key.wav
run ask --file questions/washing-machine.wav
run ask "Wo steht das Streugut?"
run ask --file questions/ninety-days.wav --speak "$store/answer.wav"
run runs list
